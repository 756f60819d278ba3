"""The studio's routes. What they answer is described at api/openapi.json; who may ask is `melodygru.studio.guard`'s."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Annotated, Any, Literal, TypeVar

from fastapi import APIRouter, FastAPI, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, StreamingResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from melodygru.errors import MelodyGRUError
from melodygru.extras import missing
from melodygru.music.instruments import program_name
from melodygru.music.scales import SCALE_INTERVALS
from melodygru.studio import answers, around, changing, filing, looking, messages, words, writing
from melodygru.studio.kinds import STYLE_FACTS, feel_facts, groove_facts
from melodygru.studio.models import Models
from melodygru.studio.shelf import Shelf, disposition
from melodygru.studio.work import BusyError, GoneError, Job, Workers
from melodygru.version import __version__
from melodygru.writing.drawing import KEEP

_Value = TypeVar("_Value")

_WORDS = {
    400: "The request cannot be read; send JSON in UTF-8.",
    404: "There is nothing at this address; see api/openapi.json.",
    405: "This address does not take such a request; see api/openapi.json.",
}
_PROBLEMS: dict[int | str, dict[str, Any]] = {
    400: {"model": answers.Problem, "description": "A request that cannot be read"},
    422: {"model": answers.Problem, "description": "A value that is not legal, or wishes that contradict each other"},
    413: {"model": answers.Problem, "description": "A request that is too large"},
    503: {"model": answers.Problem, "description": "Too many requests are waiting"},
}
_NOWHERE: dict[int | str, dict[str, Any]] = {404: {"model": answers.Problem, "description": "There is no such file"}}
_SCHEMAS = "#/components/schemas/"
_TOLD: dict[str, type[BaseModel] | None] = {
    "start": answers.Start,
    "progress": answers.Progress,
    "notes": answers.Drawn,
    "take": answers.Take,
    "done": None,
    "error": answers.Problem,
}
_EVENTS = {
    "content": {
        "text/event-stream": {
            "schema": {
                "oneOf": [
                    {
                        "type": "object",
                        "required": ["event", "data"],
                        "properties": {
                            "event": {"const": name},
                            "data": {
                                "type": "string",
                                "contentMediaType": "application/json",
                                "contentSchema": {"$ref": _SCHEMAS + kind.__name__} if kind else {"const": {}},
                            },
                        },
                    }
                    for name, kind in _TOLD.items()
                ]
            }
        }
    }
}
_CHANGES: dict[int | str, dict[str, Any]] = {**_PROBLEMS, 200: {"description": "The melody as it is now", **_EVENTS}}
_BYTES = {"schema": {"type": "string", "format": "binary"}}


def _described(problems: dict[int | str, dict[str, Any]]) -> dict[int | str, dict[str, Any]]:
    """Problems, which are JSON whatever else a route answers with."""
    schema = {"$ref": f"{_SCHEMAS}{answers.Problem.__name__}"}
    content = {"application/json": {"schema": schema}}
    return {status: {"description": one["description"], "content": content} for status, one in problems.items()}


def create_app(models: Models, workers: Workers, shelf: Shelf | None = None) -> FastAPI:
    """The studio as an ASGI application, without its guard."""
    shelf = shelf or Shelf()
    app = FastAPI(
        title="melodygru studio",
        version=__version__,
        description="Melodies written, changed, heard and saved. Steps are 24 to a quarter note.",
        openapi_url="/api/openapi.json",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        servers=[{"url": ".."}],
    )
    _add_problems(app)
    _describe_events(app)
    app.include_router(_making(models, workers, shelf))
    app.include_router(_keeping(workers, shelf))
    return app


def _making(models: Models, workers: Workers, shelf: Shelf) -> APIRouter:
    """What makes melodies, changes them and looks into them."""
    routes = APIRouter()
    feels = feel_facts()

    @routes.get("/api/choices", responses={503: _PROBLEMS[503]})
    async def choices(request: Request) -> answers.Choices:
        """What there is to choose from."""
        return answers.Choices(
            version=__version__,
            models=await asyncio.to_thread(models.facts),
            default_model=models.default,
            styles=STYLE_FACTS,
            feels=feels,
            words=messages.WORDS,
            scales=list(SCALE_INTERVALS),
            instruments=[program_name(number) for number in range(128)],
            grooves=await asyncio.to_thread(groove_facts),
            keeps=list(KEEP.choices),
            limits=messages.LIMITS,
        )

    @routes.post(
        "/api/generate",
        response_class=Response,  # has no media type, so that the description is ours alone
        responses={**_described(_PROBLEMS), 200: {"description": "What is written, as it is written", **_EVENTS}},
    )
    async def generate(request: Request, asked: messages.Generate) -> Response:
        """Write new melodies; every note is told as it is drawn."""
        job = workers.begin(lambda job: writing.generate(job, models, shelf, asked))
        return await _streamed(request, job)

    @routes.post("/api/check", responses=_PROBLEMS)
    async def check(request: Request, asked: messages.Generate) -> answers.Checked:
        """What would be written, or what stands in the way of it."""
        return await _done(workers, request, lambda job: writing.check(job, models, asked))

    @routes.post("/api/chords", responses=_PROBLEMS)
    async def chords(request: Request, asked: messages.Chords) -> answers.ChordsAnswer:
        """Chords laid out under a melody."""
        return await _done(workers, request, lambda job: filing.laid_out(asked))

    async def changed(request: Request, command: Literal["infill", "vary"], asked: Any) -> Any:
        if "text/event-stream" not in request.headers.get("accept", ""):
            return await _done(workers, request, lambda job: changing.change(job, models, shelf, command, asked))
        job = workers.begin(lambda job: changing.tell(job, models, shelf, command, asked))
        return await _streamed(request, job)

    @routes.post("/api/harmonize", responses=_PROBLEMS)
    async def harmonize(request: Request, asked: messages.Harmonize) -> answers.Harmonized:
        """Chords that fit a melody."""
        return await _done(workers, request, lambda job: around.harmonize(job, asked))

    @routes.post("/api/around", responses=_PROBLEMS)
    async def accompany(request: Request, asked: messages.Around) -> answers.Around:
        """Chords, a bass and drums around a melody."""
        return await _done(workers, request, lambda job: around.accompany(job, asked))

    @routes.post("/api/infill", responses=_CHANGES, response_model=answers.Take)
    async def infill(request: Request, asked: messages.Infill) -> Any:
        """Write some bars of a melody anew; whoever accepts text/event-stream is told how far it is."""
        return await changed(request, "infill", asked)

    @routes.post("/api/vary", responses=_CHANGES, response_model=answers.Take)
    async def vary(request: Request, asked: messages.Vary) -> Any:
        """Change a melody by as much as asked for; whoever accepts text/event-stream is told how far it is."""
        return await changed(request, "vary", asked)

    @routes.post("/api/look", responses=_PROBLEMS)
    async def look(request: Request, asked: messages.Look) -> answers.LookAnswer:
        """What happens inside a model while it hears a melody."""
        return await _done(workers, request, lambda job: looking.look(job, models, asked))

    return routes


def _keeping(workers: Workers, shelf: Shelf) -> APIRouter:
    """What reads files, and makes and keeps them."""
    routes = APIRouter()

    @routes.post(
        "/api/open",
        responses=_PROBLEMS,
        openapi_extra={"requestBody": {"required": True, "content": {"application/octet-stream": _BYTES}}},
    )
    async def open_file(
        request: Request,
        name: Annotated[str, Query(min_length=1, max_length=200)] = "file.mid",
        track: Annotated[str, Query(min_length=1, max_length=200)] = "auto",
        meter: Annotated[str, Query(max_length=8)] = "",
        pickup: Annotated[float | None, Query(ge=0, le=1000)] = None,
    ) -> answers.Opened:
        """The melodies of a file: MIDI, MusicXML, ABC or kern, by its name's ending; of a track by its number.

        `meter` and `pickup` (quarters before bar 1) say how a MIDI file is read, whatever it says.
        """
        data = await request.body()
        return await _done(workers, request, lambda job: filing.open_file(job, data, name, track, meter, pickup))

    @routes.post("/api/files", responses=_PROBLEMS)
    async def save(request: Request, asked: messages.Save) -> answers.FileLink:
        """Make a file of a melody."""
        return await _done(workers, request, lambda job: filing.save(job, shelf, asked))

    @routes.get(
        "/files/{mark}/{name}",
        response_class=Response,
        responses={**_described(_NOWHERE), 200: {"description": "The file", "content": {"*/*": _BYTES}}},
    )
    def file(mark: str, name: str) -> Response:
        """A file that was made."""
        kept = shelf.get(mark, name)
        if kept is None:
            raise HTTPException(404, "This file is not kept any more; make it again.")
        headers = {"Content-Disposition": disposition(kept.name), "Content-Type": kept.media_type}
        return Response(kept.data, headers=headers)

    return routes


async def _done(workers: Workers, request: Request, work: Callable[[Job], _Value]) -> _Value:
    """What comes of a piece of work, which stops if the client goes away."""
    job = workers.begin(work)
    await _first(request, job, job.result)
    return job.result.result()


async def _streamed(request: Request, job: Job) -> Response:
    """What a job tells, as it tells it. Raises what stands in its way, if it says so before it tells anything."""
    first = await _first(request, job, job.told.get())
    if first is None:
        job.result.result()
    return StreamingResponse(_events(job, first), media_type="text/event-stream")


async def _first(request: Request, job: Job, wanted: Any) -> Any:
    """What comes first of a job; raises GoneError, and stops the job, if the client goes away before."""
    coming, gone = asyncio.ensure_future(wanted), asyncio.ensure_future(_gone(request))
    try:
        await asyncio.wait((coming, gone), return_when=asyncio.FIRST_COMPLETED)
        if not coming.done():
            raise GoneError
        return coming.result()
    except BaseException:
        job.stop()
        coming.cancel()
        raise
    finally:
        gone.cancel()


async def _gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


async def _events(job: Job, first: bytes) -> AsyncIterator[bytes]:
    """What a job tells, until it is done; when nobody listens any more, it stops."""
    told: bytes | None = first
    try:
        while told is not None:
            yield told
            told = await job.told.get()
        if (error := job.result.exception()) is not None and not isinstance(error, GoneError):
            raise error
    finally:
        job.stop()


def _describe_events(app: FastAPI) -> None:
    """Add what only events hold to the description's schemas."""
    plain = app.openapi

    def described() -> dict[str, Any]:
        found = plain()
        schemas = found["components"]["schemas"]
        for kind in _TOLD.values():
            if kind is not None:
                schemas.setdefault(kind.__name__, kind.model_json_schema(ref_template=f"{_SCHEMAS}{{model}}"))
        return found

    app.openapi = described  # type: ignore[method-assign]


def _add_problems(app: FastAPI) -> None:
    """Whatever goes wrong is told as one sentence."""

    def problem(status: int, detail: str, headers: Any = None) -> Response:
        return JSONResponse({"detail": detail}, status, headers)

    @app.exception_handler(RequestValidationError)
    def invalid(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        return problem(422, words.sentence(error.errors()))

    @app.exception_handler(HTTPException)
    def known(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        own = error.detail.endswith((".", "!")) if isinstance(error.detail, str) else False
        return problem(error.status_code, str(error.detail) if own else _words(error.status_code), error.headers)

    @app.exception_handler(Exception)
    def unexpected(request: Request, error: Exception) -> Response:
        # Raised again after this answer; the guard then says it where the server was started.
        return problem(500, f"Something went wrong in the studio ({type(error).__name__}); try another way.")

    @app.exception_handler(MelodyGRUError)
    def refused(request: Request, error: Exception) -> Response:
        return problem(422, words.plain(str(error)))

    @app.exception_handler(ModuleNotFoundError)
    def not_installed(request: Request, error: Exception) -> Response:
        said = missing(getattr(error, "name", None) or "")
        if said is None:
            return unexpected(request, error)
        return problem(422, str(said))

    @app.exception_handler(BusyError)
    def busy(request: Request, error: Exception) -> Response:
        return problem(503, "The studio is busy with many requests; try again in a moment.", {"Retry-After": "1"})

    @app.exception_handler(GoneError)
    def gone(request: Request, error: Exception) -> Response:
        return problem(503, "The studio stopped before this was done; ask again.")


def _words(status: int) -> str:
    return _WORDS.get(status, f"The studio cannot answer this (status {status}); see api/openapi.json.")
