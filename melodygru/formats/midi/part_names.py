"""What a part's name says of whether it is the melody: "Lead_Vox", "MELODÍA", "主旋律"; "Backing Vocals", "Bass".

Names are evidence for `melodygru.formats.midi.tracks`, with a surety; they are no proof.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

MAX_NAME = 200
"""Characters of a name that are looked at: longer ones are texts."""
OVERRULES = 0.6
"""Surety, in [0, 1], from which a word against the melody counts though another is for it: "Backing Vocals"."""
SECOND = 0.4
"""What is left of a name's surety where it says that it is the second or a later of its kind: "Vocal 2"."""

_CODECS = ("utf-8", "cp932", "gbk", "big5", "euc_kr", "euc_jp", "cp1251", "koi8_r", "cp866", "cp1250", "mac_roman",
           "cp850")  # fmt: skip
"""What bytes may be that are not UTF-8, and were read as Latin-1; the first that makes a known word of them counts."""

# Surety that a part is the melody -> words for it. A word that ends in "*" stands for all that begin so, one that
# begins with "*" for all that end so. They are compared without case, accents and other marks.
_FOR = {
    1.0: """
        melod* *melody *melodie *melodi *melodia melo melos mel dallam* ezgi hauptstimme leadmelod* giai napev nuta
        мелод* напев* μελωδ*""",
    0.9: """
        vocal* vokal* wokal* vox *vox vocs vo leadvocal* voice voix voz voce glos hlas stimme *stimme stem zangstem
        golos sing sings singing singer* cantus superius canto cant cantante cantor* cantora chant chanteu* gesang*
        spiew* zpev* spev* zang* sang sangen sangstem* laulu* enek* lagu вокал* голос* пение спев* спів* φωνη
        tune theme thema tema motiv motif тема guide topline""",
    0.8: "sopran* dessus tiple oberstimme discant* diskant* сопран*",
    0.4: "lead leads ld leadsynth leadgit* leadguitar solo* soli соло* lyric* words karaoke primo prima principal main",
    0.2: "melodica melodika rh right rechte upper treble droite derecha direita destra",
}
# Surety that it is not.
_AGAINST = {
    0.9: """
        bass bassline* basses basse basso bassi baixo bajo bas bassgit* bassguit* ebass kontrabass* contrab* contrabajo
        basguit* basgit* бас басы drum* perc* percussion kit batteria bateria batterie schlagz* trommel* perkus* bicie*
        bici kick snare hihat hat hats cymbal* ride crash tom toms clap* shaker* conga* bongo* tamb* timpani cowbell
        ударн* барабан* click metronom* fx sfx noise backing back* bkg bkgd bck bgd bg bgv bgvs bgvox bv bvs
        bvox bvoc* counter* contracant* contramelod* gegen* neben* begleitstimme unterstimme mittelstimme бэк*
        бек* подпев*""",
    0.8: """
        harmony harmonies harmonie harmonia harm harmo harmonized harmonised ostinato* drone* obbligato chord* akkord*
        akord* acorde* accord accords accordi аккорд* comp comping accomp* begleit* acompan* accompagn* akomp* doprovod*
        аккомп* lh left linke lower gauche izquierda esquerda sinistra rhythm* rhythmus rythm* ritm* ritmo rtm ритм*""",
    0.6: "ooh oohs aah aahs ahs arp arps arpeg* sub fill fills riff* pedal descant*",
    0.4: """
        choir* choirs chor chore choeur* coro cori coros chorus хор pad pads alto alt altus contralto tenor tenore
        bariton* baryton* string strings streicher cuerdas cordas archi viola violas bratsche cello*
        violoncel* violonchel* celli tuba* pizz*""",
    0.2: "synth* trombone* guitar* gitarr* chitarra piano* klavier keys keyboard* organ* orgel* harp*",
}
# Words of scripts that are written without blanks: found anywhere in a name.
_INSIDE_FOR = {
    1.0: "メロ めろ 主旋律 旋律 주선율 멜로디 선율 가락 ทำนอง لحن מנגינה",
    0.9: "ボーカル ヴォーカル ボカル 歌 うた 唄 人声 人聲 主唱 演唱 보컬 노래 목소리 가창 ร้อง",
    0.4: "リード ソロ 主音 独奏 獨奏 리드 솔로 ガイド 가이드",
    0.2: "右手 오른손",
}
_INSIDE_AGAINST = {
    0.9: """
        ベース 贝斯 貝斯 低音 베이스 ドラム パーカッション 鼓 打楽器 打击 打擊 드럼 타악
        副旋律 対旋律 对位 コーラス ハモ 合唱 和声 和聲 코러스 裏メロ""",
    0.8: "伴奏 コード 和音 和弦 반주 화음 코드 リズム 节奏 節奏 리듬 左手 왼손 バッキング",
    0.4: "ストリングス パッド 弦乐 弦樂 스트링",
}
_VIOLINS = frozenset("violin violine violino violon vln vn geige скрипка".split())  # noqa: SIM905
"""In scores, the first of them has the melody mostly, and the second has not."""
_OF_FIRST = 0.2
_WAVES = frozenset("square sawtooth saw sine calliope chiff charang fifths pulse".split())  # noqa: SIM905
"""With "lead", names of synthesizers' sounds, which accompany as often as not."""
_SIZES = frozenset("alto alt tenor tenore bariton baritone baryton bass soprano sopran".split())  # noqa: SIM905
"""Of saxophones: those play melodies in every size."""
_FIRST = frozenset("1 1st i first primo prima premier erste".split())  # noqa: SIM905
_SECOND = frozenset(
    "2 3 4 5 6 7 8 2nd 3rd 4th second secondo seconda segundo segunda deuxieme zweite ii iii iv double dbl".split()  # noqa: SIM905
)


class NameClaim(NamedTuple):
    """How surely a name says that a part is the melody, and that it is not; each in [0, 1], 0 where it is silent."""

    melody: float
    other: float


@lru_cache(4096)
def name_claim(name: str) -> NameClaim:
    """What a name says, read as text of another encoding where that alone makes sense of it."""
    name = name[:MAX_NAME]
    claim = _claim(name)
    if any(claim) or name.isascii():
        return claim
    try:
        data = name.encode("latin-1")
    except UnicodeEncodeError:
        return claim
    for codec in _CODECS:
        try:
            claim = _claim(data.decode(codec))
        except UnicodeDecodeError:
            continue
        if any(claim):
            return claim
    return NameClaim(0.0, 0.0)


def words_of(name: str) -> list[str]:
    """A name's words and numbers: "LeadVox1_Élan" -> lead, vox, 1, elan."""
    apart = re.sub(r"(?<=[^\W\d_])(?=\d)|(?<=\d)(?=[^\W\d_])|(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", name)
    apart = re.sub(r"(?<=\d) (?=(?:st|nd|rd|th)\b)", "", apart)
    return re.findall(r"[^\W_]+", _plain(apart))


def _claim(name: str) -> NameClaim:
    plain, words = _plain(name), words_of(name)
    # Letters that stand alone belong to the next word: "B. Vox", "L.H.".
    words += [one + two for one, two in pairwise(words) if len(one) == 1]
    if any(word.startswith("sax") for word in words):
        words = [word for word in words if word not in _SIZES]
    melody, other = _surety(words, plain, _POSITIVE), _surety(words, plain, _NEGATIVE)
    if not _WAVES.isdisjoint(words) and melody == _surety(["lead"], "", _POSITIVE):
        melody = 0.0
    if melody and other >= OVERRULES:
        melody = 0.0
    elif melody:
        other = 0.0
    elif not _VIOLINS.isdisjoint(words):
        melody, other = _OF_FIRST * (not _FIRST.isdisjoint(words)), OVERRULES * (not _SECOND.isdisjoint(words))
    if melody and not _SECOND.isdisjoint(words):
        melody *= SECOND
    return NameClaim(melody, other)


class _Lexicon(NamedTuple):
    """Words, beginnings, ends and insides of names, each with its surety."""

    whole: dict[str, float]
    begins: dict[str, float]
    ends: dict[str, float]
    inside: dict[str, float]


def _surety(words: list[str], plain: str, lexicon: _Lexicon) -> float:
    found = [0.0]
    for word in words:
        whole = lexicon.whole.get(word)
        if whole is None:
            # The longest beginning says most: "harmonica" is not what "harmon" would be.
            parts = (lexicon.begins.get(word[:size]) for size in range(len(word), 2, -1))
            ends = (lexicon.ends.get(word[start:]) for start in range(1, len(word) - 2))
            whole = max(next((one for one in parts if one), 0.0), next((one for one in ends if one), 0.0))
        found.append(whole)
    if not plain.isascii():
        found += [surety for word, surety in lexicon.inside.items() if word in plain]
    return max(found)


def _plain(text: str) -> str:
    """Without case, accents and the other marks that Unicode can take apart."""
    apart = unicodedata.normalize("NFKD", text.casefold())
    # What no mark makes: Unicode knows these as letters of their own.
    return "".join(c for c in apart if not unicodedata.combining(c)).translate(_LETTERS)


_LETTERS = str.maketrans({"ł": "l", "ø": "o", "đ": "d", "ı": "i", "æ": "ae", "œ": "oe"})


def _lexicon(words: dict[float, str], inside: dict[float, str]) -> _Lexicon:
    def each(table: dict[float, str]) -> Iterator[tuple[str, float]]:
        return ((_plain(word), surety) for surety, told in table.items() for word in told.split())

    return _Lexicon(
        {word: surety for word, surety in each(words) if "*" not in word},
        {word[:-1]: surety for word, surety in each(words) if word.endswith("*")},
        {word[1:]: surety for word, surety in each(words) if word.startswith("*")},
        dict(each(inside)),
    )


_POSITIVE = _lexicon(_FOR, _INSIDE_FOR)
_NEGATIVE = _lexicon(_AGAINST, _INSIDE_AGAINST)
