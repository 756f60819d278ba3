"""Chord progressions that everybody knows, and the key that a musician would say each is in."""

PROGRESSIONS = [
    # Pop and folk: the same four chords from other places, and their relatives.
    ("C G Am F", "C"), ("G D Em C", "G"), ("D A Bm G", "D"), ("E B C#m A", "E"), ("Am F C G", "A minor"),
    ("Em C G D", "E minor"), ("Cm Ab Eb Bb", "C minor"), ("Bbm Gb Db Ab", "Bb minor"), ("C Am F G", "C"),
    ("G Em C D", "G"), ("C F G C", "C"), ("F Bb F C7 F", "F"), ("C G Am F C G F C", "C"), ("F G Em Am", "C"),
    ("D A Bm F#m G D G A", "D"), ("D C G D", "D"), ("G F C G", "G"), ("G B C Cm", "G"), ("C C7 F Fm C G7 C", "C"),
    # Minor: cadences, the Andalusian descent, laments.
    ("Am G F E", "A minor"), ("Dm C Bb A", "D minor"), ("Am G F E7", "A minor"), ("Am Dm E7 Am", "A minor"),
    ("Em Am B7 Em", "E minor"), ("Cm G7 Cm Fm Cm G7 Cm", "C minor"), ("Am C D F Am C E E", "A minor"),
    ("Am Dm G Cmaj7 Fmaj7 Bm7b5 E E7", "A minor"), ("Bm7b5 E7 Am7", "A minor"), ("Dm7b5 G7 Cm7", "C minor"),
    ("F#m7b5 B7 Em", "E minor"), ("Dm7 Dm7 Dm7 Ebm7 Dm7", "D minor"),
    # Jazz: two-five-ones, turnarounds, standards' first lines and bridges.
    ("Dm7 G7 Cmaj7", "C"), ("Gm7 C7 Fmaj7", "F"), ("Dm7 G7 Cmaj7 A7", "C"), ("Cmaj7 Am7 Dm7 G7", "C"),
    ("Ebmaj7 Cm7 Fm7 Bb7", "Eb"), ("Em7 A7 Dm7 G7", "C"), ("C A7 D7 G7 C", "C"), ("Cmaj7 D7 Dm7 G7 Cmaj7", "C"),
    ("Bbmaj7 G7 Cm7 F7 Dm7 G7 Cm7 F7", "Bb"), ("D7 D7 G7 G7 C7 C7 F7 F7", "Bb"),
    ("Cmaj7 E7 A7 Dm7 E7 Am7 D7 G7", "C"), ("Fmaj7 Fm7 Em7 A7 Dm7 G7 Cmaj7", "C"),
    ("Dm7 G7 Dm7 G7 Em7 A7 Em7 A7 Am7 D7 Abm7 Db7 Cmaj7", "C"), ("Fmaj7 G7 Gm7 Gb7 Fmaj7", "F"),
    ("Cm7 F7 Bbmaj7 Ebmaj7 Am7b5 D7 Gm7 Gm7", "G minor"), ("Am7 Dm7 G7 Cmaj7 Fmaj7 Bm7b5 E7 Am7", "A minor"),
    ("Cm7 Fm7 Dm7b5 G7 Cm7 Ebm7 Ab7 Dbmaj7 Dm7b5 G7 Cm7", "C minor"),
    # Blues of twelve bars, in which sevenths are no dominants.
    ("C7 C7 C7 C7 F7 F7 C7 C7 G7 F7 C7 G7", "C"), ("A7 D7 A7 A7 D7 D7 A7 A7 E7 D7 A7 E7", "A"),
    ("Am7 Dm7 Am7 Am7 Dm7 Dm7 Am7 Am7 F7 E7 Am7 E7", "A minor"), ("F7 Bb7 F7 F7 Bb7 Bb7 F7 D7 Gm7 C7 F7 C7", "F"),
]  # fmt: skip
