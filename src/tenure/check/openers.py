"""What opens a resource, what closes it, and what only borrows it: tables, matched by resolved dotted name."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from tenure.check.words import words

__all__ = [
    "BUILTIN_SAFE",
    "CALLBACK_REGISTRARS",
    "CLOSER_NAMES",
    "DERIVERS",
    "FUNCTION_CLOSERS",
    "KINDS",
    "MERE_BORROWERS",
    "OPENERS",
    "OWNERSHIP_TAKERS",
    "READERS",
    "SAFE_CALLS",
    "STACKS",
    "STDLIB",
    "TYPED_METHODS",
    "WRAPPERS",
    "Kind",
    "Opener",
    "is_stdlib",
    "with_extra",
]


@dataclass(frozen=True, slots=True)
class Kind:
    """A family of resources that are closed alike."""

    noun: str
    closers: frozenset[str]  #: methods that release it
    close: str = "{}.close()"  #: how a person writes it
    managed: bool = True  #: ``with`` closes it
    twice: bool = False  #: closing it a second time is an error
    after: frozenset[str] = frozenset()  #: what may be used once it is closed (``None`` of the rest may)
    any_after: bool = False  #: everything may be used once it is closed
    views: frozenset[str] = frozenset()  #: methods whose result reads through it
    calm: frozenset[str] = frozenset()  #: methods that do not fail in practice
    risky: bool = False  #: its methods talk to somebody else and fail as a matter of course
    dormant: bool = False  #: owns nothing until something is put into it
    weak: bool = False  #: losing it is tidied up with its parent: worth following, not worth a finding
    bound: bool = False  #: it is of no use once what it was opened through is closed
    lazy: bool = False  #: holds nothing until it is used
    plain: bool = False  #: a number, not an object: copying it copies the right to close it

    @property
    def untold(self) -> bool:
        """Whether no rule could say anything of it."""
        return self.weak and self.any_after and not self.twice


def _kind(noun: str, closers: str = "close", after: str = "", views: str = "", calm: str = "", **rest: object) -> Kind:
    split = {"closers": closers, "after": after, "views": views, "calm": calm}
    sets = {key: frozenset(words.split()) for key, words in split.items()}
    return Kind(noun, **sets, **rest)  # type: ignore[arg-type]


_FILE_AFTER: Final = "name mode closed encoding errors newlines close __exit__ filename delete mtime line_buffering raw"
_FILE_CALM: Final = "fileno isatty tell readable writable seekable name mode closed detach close"

_PREPARATIONS: Final = "mount set_tunnel set_missing_host_key_policy load_system_host_keys load_host_keys"
_POOL_CALM: Final = "join apply_async map_async starmap_async imap imap_unordered"
_PROXIES: Final = "dict list Queue JoinableQueue Lock RLock Event Condition Semaphore Barrier Namespace Value Array"

KINDS: Final[dict[str, Kind]] = {
    "file": _kind("file", "close aclose detach", _FILE_AFTER + " buffer", "__iter__", _FILE_CALM),
    "temporary file": _kind("temporary file", "close detach", _FILE_AFTER + " file", "__iter__", _FILE_CALM),
    "temporary directory": _kind("temporary directory", "cleanup", any_after=True, close="{}.cleanup()", calm="name"),
    "archive": _kind(
        "archive",
        "close",
        "name filename mode closed close filelist NameToInfo getinfo infolist namelist getmembers getnames fp",
        calm="namelist infolist close filelist getnames name filename",
        risky=True,
    ),
    "socket": _kind(
        "socket",
        "close detach",
        "close detach fileno family type proto closed",
        calm="fileno setblocking settimeout gettimeout family type proto getsockname getpeername close detach"
        " setsockopt getsockopt set_inheritable",
        risky=True,
    ),
    "server": _kind("server", "close server_close", any_after=True, calm="close"),
    "descriptor": _kind("descriptor", "", close="os.close({})", managed=False, twice=True, plain=True),
    "process": _kind(
        "process",
        "wait communicate",
        any_after=True,
        close="{}.wait()",
        calm="poll pid returncode args kill terminate send_signal stdin stdout stderr",
    ),
    "pipe": _kind("pipe to a process", "close", any_after=True),
    "mapping": _kind("memory map", "close", "close closed", calm="size tell seek find"),
    "connection": _kind("database connection", "close", "close closed", risky=True, managed=False),
    "closing connection": _kind("database connection", "close aclose", "close closed aclose", risky=True),
    "cursor": _kind(
        "cursor", "close", "close closed description rowcount lastrowid connection", weak=True, risky=True, bound=True
    ),
    "attendant": _kind("resource", "close", any_after=True, weak=True),  # goes with what it was opened through
    "selector": _kind("selector", "close", "close closed", calm="fileno register unregister modify get_map"),
    "scan": _kind("directory scan", "close", any_after=True, views="__iter__", calm="__next__"),
    "executor": _kind("executor", "shutdown", "shutdown", close="{}.shutdown()", calm="submit _max_workers"),
    "pool": _kind("process pool", "close terminate", "join close terminate", calm=_POOL_CALM, risky=True),
    "manager": _kind("server process", "shutdown", views=_PROXIES, any_after=True, close="{}.shutdown()"),
    "shared memory": _kind("shared memory", "close", "close unlink name size", calm="name size"),
    "session": _kind(
        "HTTP session", "close aclose", "close closed aclose is_closed", calm=_PREPARATIONS, risky=True, lazy=True
    ),
    "client": _kind(
        "resource", "close aclose shutdown disconnect clear", calm=_PREPARATIONS, any_after=True, risky=True, lazy=True
    ),
    "aiohttp session": _kind("HTTP session", "close", "close closed", risky=True),
    # Whatever reads the body to its end gives the connection back.
    "aiohttp response": _kind(
        "HTTP response",
        "close release read text json __aexit__ wait_for_close",
        any_after=True,
        calm="status headers raise_for_status cookies url ok method reason",
    ),
    "response": _kind("HTTP response", "close release aclose aread", any_after=True, risky=True, calm="status headers"),
    "mail connection": _kind("mail connection", "quit close logout", any_after=True, risky=True, close="{}.quit()"),
    "stream": _kind(
        "network stream",
        "close abort",
        any_after=True,
        risky=True,
        calm="write writelines get_extra_info is_closing can_write_eof write_eof",
        managed=False,
    ),
    "transport": _kind("transport", "close abort", any_after=True, managed=False),
    "event loop": _kind(
        "event loop",
        "close",
        "close is_closed",
        managed=False,
        calm="set_debug time create_task call_soon stop is_running add_signal_handler get_debug set_exception_handler",
        risky=True,
    ),
    # Whatever makes PIL read the pixels makes it close the file as well.
    "image": _kind(
        "image",
        "close __exit__ load convert resize save thumbnail copy crop rotate transpose tobytes getdata split paste"
        " point getextrema getpixel getcolors getbbox histogram quantize filter reduce transform tobitmap show",
        any_after=True,
        calm="size mode format width height",
    ),
    "memory": _kind("C memory", "", close="free({})", managed=False, twice=True, plain=True),
    "cffi memory": _kind("C memory", "release", close="ffi.release({})", twice=True, weak=True),
    "workbook": _kind("workbook", any_after=True, calm="sheet_names book engine io"),
    "registry key": _kind("registry key", "Close Detach", close="{}.Close()", any_after=True),
    "database": _kind("database", "close", "close closed"),
    "tenure": _kind("handle", "close detach", "close closed detach state locked", calm="lease closed state view"),
    "lease": _kind("lease", "give_back", "give_back", close="{}.give_back()", calm="token address"),
    "exit stack": _kind("exit stack", "close aclose pop_all", any_after=True, dormant=True),
    "scope": _kind("scope", "close pop_all", any_after=True, dormant=True),
    "closable": _kind("resource", "close aclose shutdown stop release disconnect terminate", any_after=True),
}

#: Any method of one of these names may be what closes an object whose type is not known.
CLOSER_NAMES: Final = words(
    "close aclose shutdown stop release disconnect terminate cleanup quit dispose free destroy Close kill join"
    " wait communicate logout server_close unlink detach finish teardown __exit__ __aexit__ abort"
)


@dataclass(frozen=True, slots=True)
class Opener:
    """What a call hands out."""

    kind: str = ""
    parts: tuple[str, ...] = ()  #: kinds of the members of the tuple it returns; "" is a member that is no resource
    takes: tuple[int | str, ...] = ()  #: arguments whose ownership the new resource takes over
    only_if: str = ""  #: the keyword that must be given and not be false
    unless: str = ""  #: the keyword that, given and false, leaves nothing to close
    wraps: bool = False  #: what it wraps decides: only an owned argument makes an owned result
    over: tuple[int | str, ...] = ()  #: given one of these, it leaves nothing to close that is not that one's
    awaited: bool = False  #: the resource is there once the call has been awaited or entered
    risky: bool = True  #: the call itself fails as a matter of course (no such file, nobody listens)


def _all(names: str, **what: object) -> dict[str, Opener]:
    return {name: Opener(**what) for name in names.split()}  # type: ignore[arg-type]


#: A dotted name, resolved through imports, and what calling it opens.
OPENERS: Final[dict[str, Opener]] = {
    **_all("builtins.open io.open os.fdopen _io.open", kind="file", takes=(0,), unless="closefd"),
    **_all("io.FileIO _io.FileIO", kind="file", takes=(0,), unless="closefd"),
    **_all("io.open_code codecs.open tokenize.open aifc.open wave.open sunau.open", kind="file"),
    **_all("pathlib.Path.open", kind="file"),
    **_all("bz2.open lzma.open gzip.open gzip.GzipFile bz2.BZ2File lzma.LZMAFile", kind="file", over=("fileobj",)),
    **_all("fileinput.input fileinput.FileInput", kind="file", over=("fileobj",)),
    **_all(
        "io.TextIOWrapper io.BufferedReader io.BufferedWriter io.BufferedRandom", kind="file", takes=(0,), wraps=True
    ),
    **_all("io.BufferedRWPair", kind="file", takes=(0, 1), wraps=True),
    **_all("codecs.EncodedFile codecs.StreamReaderWriter codecs.StreamRecoder", kind="file", takes=(0,), wraps=True),
    **_all("aiofiles.open aiofiles.threadpool.open anyio.open_file", kind="file", awaited=True),
    **_all("tempfile.TemporaryFile tempfile.SpooledTemporaryFile", kind="temporary file", risky=False),
    **_all("tempfile.NamedTemporaryFile", kind="temporary file", risky=False),
    **_all("tempfile.TemporaryDirectory", kind="temporary directory", risky=False),
    **_all("tempfile.mkstemp", parts=("descriptor", ""), risky=False),
    **_all(
        "zipfile.ZipFile zipfile.PyZipFile tarfile.open tarfile.TarFile tarfile.TarFile.open",
        kind="archive",
        over=("fileobj",),
    ),
    **_all("tarfile.TarFile.gzopen tarfile.TarFile.bz2open tarfile.TarFile.xzopen", kind="archive"),
    **_all("zipfile.ZipFile.open tarfile.TarFile.extractfile", kind="file"),
    **_all("socket.socket", kind="socket", takes=("fileno",), risky=False),
    **_all("socket.create_connection socket.create_server socket.fromfd socket.socket.dup", kind="socket"),
    **_all("socket.socketpair", parts=("socket", "socket"), risky=False),
    **_all("socket.socket.accept ssl.SSLSocket.accept", parts=("socket", "")),
    **_all("asyncio.AbstractEventLoop.sock_accept", parts=("socket", ""), awaited=True),
    **_all("socket.socket.makefile", kind="file"),
    **_all("ssl.wrap_socket ssl.SSLContext.wrap_socket", kind="socket", takes=(0, "sock"), wraps=True),
    **_all("os.open os.pidfd_open", kind="descriptor"),
    **_all("os.dup os.memfd_create os.eventfd", kind="descriptor", risky=False),
    **_all("os.pipe os.pipe2 os.openpty pty.openpty", parts=("descriptor", "descriptor"), risky=False),
    **_all("os.popen", kind="file"),
    **_all("os.scandir", kind="scan"),
    **_all("subprocess.Popen", kind="process"),
    **_all("mmap.mmap", kind="mapping"),
    **_all(
        "sqlite3.connect sqlite3.Connection sqlite3.dbapi2.connect MySQLdb.connect pymysql.connect psycopg2.connect",
        kind="connection",
    ),
    **_all("mysql.connector.connect cx_Oracle.connect oracledb.connect pyodbc.connect", kind="connection"),
    **_all("psycopg.connect duckdb.connect", kind="closing connection"),
    **_all(
        "psycopg.AsyncConnection.connect aiosqlite.connect asyncpg.connect", kind="closing connection", awaited=True
    ),
    **_all("sqlite3.Connection.cursor sqlite3.Connection.execute", kind="cursor"),
    **_all("selectors.DefaultSelector selectors.SelectSelector selectors.PollSelector", kind="selector", risky=False),
    **_all("selectors.EpollSelector selectors.KqueueSelector selectors.DevpollSelector", kind="selector", risky=False),
    **_all("select.epoll select.kqueue select.devpoll", kind="selector", risky=False),
    **_all(
        "concurrent.futures.ThreadPoolExecutor concurrent.futures.ProcessPoolExecutor", kind="executor", risky=False
    ),
    **_all("concurrent.futures.thread.ThreadPoolExecutor", kind="executor", risky=False),
    **_all("concurrent.futures.process.ProcessPoolExecutor", kind="executor", risky=False),
    **_all("multiprocessing.Pool multiprocessing.pool.Pool multiprocessing.pool.ThreadPool", kind="pool", risky=False),
    **_all("multiprocessing.dummy.Pool", kind="pool", risky=False),
    **_all("multiprocessing.Manager", kind="manager", risky=False),
    **_all("multiprocessing.shared_memory.SharedMemory", kind="shared memory"),
    **_all("multiprocessing.Pipe", parts=("closable", "closable")),
    **_all("multiprocessing.connection.Client multiprocessing.connection.Listener", kind="closable"),
    **_all("multiprocessing.connection.Listener.accept mailbox.mbox mailbox.MMDF mailbox.Babyl", kind="closable"),
    **_all("urllib.request.urlopen urllib2.urlopen urllib.urlopen", kind="response"),
    **_all("http.client.HTTPConnection http.client.HTTPSConnection", kind="session", risky=False),
    **_all("http.client.HTTPConnection.getresponse", kind="attendant"),
    **_all("requests.Session requests.session requests.sessions.Session", kind="session", risky=False),
    **_all("httpx.Client httpx.AsyncClient", kind="session", risky=False),
    **_all("aiohttp.ClientSession aiohttp.client.ClientSession", kind="aiohttp session", risky=False),
    **{
        f"aiohttp.ClientSession.{method}": Opener("aiohttp response")
        for method in ("get", "post", "put", "patch", "delete", "head", "options", "request", "ws_connect")
    },
    **_all("requests.get requests.post requests.request requests.put", kind="response", only_if="stream"),
    **_all("requests.Session.get requests.Session.post requests.Session.request", kind="response", only_if="stream"),
    **_all("urllib3.PoolManager urllib3.ProxyManager urllib3.HTTPConnectionPool", kind="client", risky=False),
    **_all("smtplib.SMTP smtplib.SMTP_SSL smtplib.LMTP", kind="mail connection"),
    **_all("imaplib.IMAP4 imaplib.IMAP4_SSL poplib.POP3 poplib.POP3_SSL", kind="mail connection"),
    **_all("ftplib.FTP ftplib.FTP_TLS telnetlib.Telnet nntplib.NNTP", kind="mail connection"),
    **_all("asyncio.open_connection asyncio.open_unix_connection", parts=("", "stream"), takes=("sock",), awaited=True),
    **_all("asyncio.start_server asyncio.start_unix_server", kind="server", takes=("sock",), awaited=True),
    **_all("asyncio.new_event_loop asyncio.SelectorEventLoop uvloop.new_event_loop", kind="event loop", risky=False),
    **_all("asyncio.create_subprocess_exec asyncio.create_subprocess_shell", kind="process", awaited=True),
    **_all("socketserver.TCPServer socketserver.UDPServer socketserver.ThreadingTCPServer", kind="server"),
    **_all("http.server.HTTPServer http.server.ThreadingHTTPServer", kind="server"),
    **_all("shelve.open dbm.open dbm.gnu.open dbm.ndbm.open dbm.dumb.open", kind="database"),
    **_all("logging.FileHandler logging.handlers.RotatingFileHandler", kind="attendant"),
    **_all("PIL.Image.open", kind="image", over=("fp",)),
    **_all("h5py.File netCDF4.Dataset pyarrow.OSFile pyarrow.memory_map fitz.open", kind="file"),
    **_all("paramiko.SSHClient", kind="client", risky=False),
    **_all("paramiko.Transport", kind="closable", risky=False),
    **_all("winreg.OpenKey winreg.OpenKeyEx winreg.CreateKey winreg.CreateKeyEx", kind="registry key"),
    **_all("winreg.ConnectRegistry", kind="registry key"),
    **_all("pandas.ExcelFile", kind="workbook", over=("io",)),
    **_all("pandas.HDFStore tables.open_file rasterio.open", kind="closable"),
    **_all("pypdfium2.PdfDocument pdfplumber.open av.open", kind="closable"),
    **_all("tenure.open tenure.Handle tenure.Buffer tenure.SecretBuffer", kind="tenure", risky=False),
    **_all("tenure.own tenure.Handle.own tenure.Buffer.own", kind="tenure", takes=(0,), risky=False),
    **_all("tenure.Handle.lease", kind="lease", risky=False),
    **_all("tenure.Scope", kind="scope", over=(0, "parent"), risky=False),  # its parent closes it
    **_all("cffi.FFI.new", kind="cffi memory", risky=False),
    **_all("contextlib.ExitStack contextlib.AsyncExitStack", kind="exit stack", risky=False),
    **_all("ctypes.CDLL.malloc ctypes.CDLL.calloc ctypes.CDLL.strdup", kind="memory", risky=False),
}

#: Functions that close their argument (position), by the kinds they are right for.
FUNCTION_CLOSERS: Final[dict[str, tuple[int, frozenset[str]]]] = {
    "os.close": (0, frozenset({"descriptor"})),
    "os.closerange": (0, frozenset({"descriptor"})),
    "winreg.CloseKey": (0, frozenset({"registry key"})),
    "ctypes.CDLL.free": (0, frozenset({"memory"})),
    "cffi.FFI.release": (0, frozenset({"cffi memory"})),
    "contextlib.closing": (0, frozenset()),
    "socket.close": (0, frozenset({"descriptor"})),
}

#: Calls that make a context manager or another object which closes its first argument with itself.
WRAPPERS: Final = frozenset({"contextlib.closing", "contextlib.aclosing"})

#: Calls whose result reads through their arguments: it is of no use once these are closed.
DERIVERS: Final = words(
    "csv.reader csv.DictReader csv.writer csv.DictWriter builtins.iter builtins.map builtins.filter builtins.zip"
    " builtins.enumerate builtins.reversed itertools.chain itertools.islice itertools.takewhile"
    " itertools.dropwhile itertools.chain.from_iterable codecs.getreader builtins.memoryview itertools.groupby"
    " itertools.filterfalse itertools.zip_longest itertools.starmap ijson.items re.finditer"
    " tokenize.generate_tokens tokenize.tokenize itertools.tee pickle.Unpickler pickle.Pickler json.JSONDecoder"
    " ctypes.addressof ctypes.byref ctypes.pointer cffi.FFI.from_buffer cffi.FFI.addressof"
)

#: Functions that read or write what they are given there and then.
READERS: Final = words(
    "json.load json.dump pickle.load pickle.dump marshal.load marshal.dump tomllib.load plistlib.load plistlib.dump"
    " shutil.copyfileobj csv.reader csv.writer csv.DictReader csv.DictWriter builtins.list builtins.tuple"
    " builtins.set builtins.sorted builtins.next builtins.sum xml.etree.ElementTree.parse xml.dom.minidom.parse"
    " ctypes.string_at ctypes.wstring_at ctypes.memmove ctypes.memset"
    " cffi.FFI.buffer cffi.FFI.unpack cffi.FFI.string cffi.FFI.memmove"
)

#: Functions that do keep or close what they are given.
OWNERSHIP_TAKERS: Final = words(
    "asyncio.start_server asyncio.create_task asyncio.ensure_future threading.Thread multiprocessing.Process"
    " threading.Timer asyncio.gather asyncio.wait_for asyncio.shield functools.partial weakref.finalize"
    " atexit.register logging.StreamHandler logging.basicConfig contextvars.copy_context"
    " multiprocessing.reduction.DupHandle"
    " socketserver.BaseServer http.client.HTTPResponse urllib.response.addinfourl unittest.mock.patch"
    " builtins.setattr object.__setattr__ sys.exit wsgiref.util.FileWrapper types.SimpleNamespace"
    " email.message_from_file builtins.dict builtins.super builtins.type dataclasses.replace"
    " tempfile._TemporaryFileWrapper os._wrap_close numpy.memmap"
    " asyncio.StreamWriter asyncio.streams.StreamWriter cffi.FFI.gc"
)

#: ``register(f.close)``, ``stack.callback(f.close)``: somebody will call it.
CALLBACK_REGISTRARS: Final = frozenset({"atexit.register", "weakref.finalize"})

#: Methods of an exit stack, or a scope, that take what they are given.
STACKS: Final = words(
    "enter_context push callback enter_async_context push_async_exit push_async_callback enter open own"
)

#: Methods of an unknown object that, by their name, read or write and keep nothing.
MERE_BORROWERS: Final = words(
    "write writelines read readinto load loads dump dumps send sendall sendfile parse parse_args print feed"
    " update copyfileobj readlines decode encode join format index count info debug warning error exception log"
    " sendto recv isinstance startswith endswith split safe_load safe_dump parsefile parse_file read_csv"
    " sock_sendall sock_recv sock_recv_into sock_connect"
)

#: Calls that do not fail in practice: following their exceptions would only make noise.
BUILTIN_SAFE: Final = words(
    "len isinstance issubclass callable id repr str bool type list tuple dict set frozenset range enumerate zip"
    " iter hasattr print super object min max sorted reversed any all sum abs bytes bytearray format getattr vars"
    " hash map filter slice locals globals ord chr hex divmod round memoryview property staticmethod classmethod"
    " setattr int float cast"
)

SAFE_CALLS: Final = words(
    "time.time time.monotonic time.perf_counter os.path.join os.path.basename os.path.dirname os.path.exists"
    " os.path.isfile os.path.isdir os.path.abspath os.path.splitext os.getpid logging.getLogger os.path.normpath"
    " os.fspath os.environ.get sys.exc_info threading.Lock threading.RLock threading.Event threading.Thread"
    " weakref.ref weakref.finalize functools.partial collections.deque collections.OrderedDict"
    " collections.defaultdict typing.cast pathlib.Path io.BytesIO io.StringIO os.close os.getenv sys.stdout.flush"
    " asyncio.get_event_loop asyncio.get_running_loop copy.copy warnings.warn atexit.register hashlib.md5"
    " hashlib.sha1 hashlib.sha256 os.fsencode os.fsdecode os.path.expanduser itertools.count re.escape"
    " threading.current_thread asyncio.Lock asyncio.Event asyncio.Queue queue.Queue collections.Counter"
    " random.random time.sleep contextlib.closing contextlib.suppress contextlib.nullcontext textwrap.dedent"
    " asyncio.current_task asyncio.all_tasks shutil.get_terminal_size shutil.which"
    " operator.itemgetter csv.reader csv.writer asyncio.set_event_loop sys.exit os._exit os.isatty"
)

#: Methods that open something, by the type of the object: the dotted type, then the method.
TYPED_METHODS: Final[Mapping[str, str]] = {
    "socket": "socket.socket",
    "connection": "sqlite3.Connection",
    "session": "requests.Session",
    "aiohttp session": "aiohttp.ClientSession",
    "archive": "zipfile.ZipFile",
    "tenure": "tenure.Handle",
}

STDLIB: Final = frozenset(sys.stdlib_module_names) | {"builtins", "_io", "urllib2", "imp"}


def is_stdlib(dotted: str) -> bool:
    """Whether the name belongs to Python itself."""
    return dotted.partition(".")[0] in STDLIB


def with_extra(extra: Mapping[str, Iterable[str]]) -> tuple[dict[str, Opener], dict[str, Kind]]:
    """The tables with a project's own openers added; each brings a kind named after itself."""
    openers, kinds = dict(OPENERS), dict(KINDS)
    for name, closers in extra.items():
        methods = frozenset(closers)
        first = next(iter(closers))
        kinds[name] = Kind(name.rpartition(".")[2], methods, f"{{}}.{first}()", any_after=True)
        openers[name] = Opener(kind=name)
    return openers, kinds
