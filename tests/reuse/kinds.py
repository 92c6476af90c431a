"""Owns cells of the random notebook by what is treacherous about them; those of some kinds alone can be tried."""

from __future__ import annotations

import os
from importlib.util import find_spec

__all__ = ["DRAWS", "HERE", "KINDS", "NOT_AGAIN", "READERS", "kinds_cells"]

HERE = frozenset({"figure", "pyplot", "s_draw", "s_figure", "s_worker", "s_written"})
"""Steps that stay in the kernel: a pool that a step opens in a worker gets no functions of the notebook, and
figures that it leaves open are the worker's."""

NOT_AGAIN = frozenset({"s_connected", "s_draw", "s_figure", "s_last", "s_reread", "s_tick", "s_written"})
"""Steps that are not run once more as a pipeline: figures, folder, counters and what is shown last differ by then."""

READERS = frozenset({"s_file", "s_lazy", "s_native", "s_out", "s_worker"})
"""Steps that find no file, or another one, where there was one, once a later cell has left the folder."""

DRAWS = "import mod_d\nr_lo = mod_d.take()"
"""A cell that gives the next number each time it runs, so it is not run once more as a pipeline either."""

Cells = dict[str, tuple[str, ...]]

CLASS = "class Odd:\n    def __init__(self, n):\n        self.n = n\n"

DEFINITIONS: Cells = {
    "seen": ("seen = []", "seen = ['x']"),
    "note": (
        "def note(f):\n    seen.append(f.__name__)\n    return f",
        "def note(f):\n    return f",
        "def note(f):\n    f.order = len(seen)\n    return f",
    ),
    "s_noted": (
        "@note\ndef noted(x):\n    return x + RATE\nr_noted = noted(1)",
        "class Noted:\n    seen.append('Noted')\n    k = RATE\nr_noted = Noted.k",
        "def noted(x, k=seen.append('default')):\n    return x\nr_noted = noted(2)",
        "import random\nclass Noted:\n    token = random.random()\nr_noted = Noted.token",
        "@note\nclass Noted:\n    k = 1\nr_noted = len(seen)",
    ),
}

TEXT: Cells = {
    "limit": ("limit = 1", "limit = 2"),
    "expression": ("expression = 'a > @limit'", "expression = 'a >= @limit'", "expression = 'b > 3'"),
    "pick": ("def pick(text):\n    return len(df.query(text))",),
    "sales": (
        "import polars as pl\nsales = pl.DataFrame({'a': [1, 2]})",
        "import polars as pl\nsales = pl.DataFrame({'a': [RATE, 3]})",
    ),
    "sql": ("sql = 'select sum(a) from sales'", "sql = 'select a from \"sales\" order by a limit 1'"),
    "s_sql": (
        "r_sq = pl.SQLContext(register_globals=True).execute(sql, eager=True).rows()",
        "r_sq = pl.SQLContext(register_globals=True).execute('select max(a) ' + 'from sales', eager=True).rows()",
    ),
    "s_text": (
        "r_q = len(df.query(expression))",
        "r_q = pick('a ' + '> @limit')",
        "r_q = pick(expression)",
        "r_q = pd.eval('limit * 2 + RATE')",
        "r_q = list(pd.eval('df.a * ' + 'limit'))",
        "r_q = list(df.eval('a * @limit'))",
        "r_q = eval('limit + RATE')",
    ),
}

FILES: Cells = {
    "source": ("source = 'data.csv'", "source = 'data.txt'"),
    "sized": ("def sized(path):\n    return len(open(path).read())",),
    "database": tuple(
        "import sqlite3\n_d = sqlite3.connect('u.db')\n_d.execute('create table if not exists t (x)')\n"
        f"_d.execute('delete from t')\n_d.execute('insert into t values ({value})')\n_d.commit()\n_d.close()"
        for value in (1, 2)
    ),
    "s_native": (
        "from pyarrow import csv as _csv\nr_na = _csv.read_csv('data.csv').to_pydict()",
        "import pyarrow\nr_na = pyarrow.memory_map(source).size()",
        "r_na = int(np.fromfile(source, dtype='u1').sum())",
        "r_na = os.path.exists('extra.txt')",
        "r_na = os.path.getsize(source)",
        "from pathlib import Path\nr_na = sorted(path.name for path in Path('folder').glob('*.txt'))",
        "import glob\nr_na = sorted(glob.glob('*.txt'))",
        "from pathlib import Path\nr_na = Path('extra.txt').stat().st_size if Path('extra.txt').is_file() else None",
        (
            "import sqlite3\n_u = sqlite3.connect('file:u.db?mode=ro', uri=True)\n"
            "r_na = _u.execute('select x from t').fetchall()\n_u.close()"
        ),
    ),
    "lazy": (
        "import polars as pl\nlazy = pl.scan_csv('data.csv')",
        "import polars as pl\nlazy = pl.scan_csv('data.csv').filter(pl.col('a') > 1)",
    ),
    "s_lazy": ("r_lz = lazy.collect().rows()", "r_lz = lazy.select('b').collect().rows()"),
    "writer": ("def writer(path):\n    with open(path, 'w') as file:\n        return file.write(str(RATE))",),
    "s_written": (
        "df.to_csv('made.txt')\nr_wr = RATE",
        "np.savetxt('made.txt', arr)\nr_wr = RATE",
        "from pyarrow import csv as _csv, table as _table\n_csv.write_csv(_table({'a': [RATE]}), 'made.txt')",
        "import polars as _pl\n_pl.DataFrame({'a': [RATE]}).write_csv('made.txt')",
        "import os\nos.replace('made.txt', 'moved.txt') if os.path.exists('made.txt') else None",
        "import shutil\n_copied = shutil.copy('data.txt', 'made.txt')",
        (
            "import multiprocessing\nwith multiprocessing.get_context('fork').Pool(1) as _pool:\n"
            "    r_wr = _pool.map(writer, ['made.txt'])"
        ),
    ),
    "s_reread": (
        "r_rr = open('made.txt').read() if os.path.exists('made.txt') else None",
        "r_rr = sorted(name for name in os.listdir() if name in {'made.txt', 'moved.txt'})",
    ),
    "s_worker": (
        (
            "import multiprocessing\nfrom concurrent.futures import ProcessPoolExecutor\n"
            "with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context('fork')) as _pool:\n"
            "    r_wo = list(_pool.map(sized, ['data.txt']))"
        ),
        (
            "import multiprocessing\nwith multiprocessing.get_context('fork').Pool(1) as _pool:\n"
            "    r_wo = _pool.map(os.getenv, ['REUSE_LEVEL'])"
        ),
    ),
}

EFFECTS: Cells = {
    "shape": ("from abc import ABC\nclass Shape(ABC):\n    pass",),
    "dispatch": ("from functools import singledispatch\n@singledispatch\ndef kind(x):\n    return 'any'",),
    "register": (
        "import csv\ncsv.register_dialect('reuse', delimiter='|')",
        "import csv\ncsv.register_dialect('reuse', delimiter=';')",
        "import calendar\ncalendar.setfirstweekday(6)",
        "import calendar\ncalendar.setfirstweekday(0)",
        "import logging\nlogging.getLogger('reuse').setLevel(10)",
        "import socket\nsocket.setdefaulttimeout(5)",
        "import socket\nsocket.setdefaulttimeout(None)",
        "import decimal\ndecimal.getcontext().prec = 5",
        "Shape.register(K)\nNone",
        "@kind.register\ndef _(x: int):\n    return 'int'",
        "kind.register(list, lambda x: RATE)\nNone",
        "import mimetypes\nmimetypes.add_type('text/reuse', '.reuse')",
        "np.seterr(divide='call')\nnp.seterrcall(lambda kind, flag: print('called', kind))\nNone",
        "import time\nos.environ['TZ'] = 'UTC'\ntime.tzset()",
        "import time\nos.environ['TZ'] = 'EST+05'\ntime.tzset()",
        "import signal\nsignal.signal(signal.SIGUSR2, signal.SIG_IGN)\nNone",
        (
            "@pd.api.extensions.register_series_accessor('reuse')\nclass Accessor:\n"
            "    def __init__(self, series):\n        self.series = series\n"
            "    def size(self):\n        return len(self.series) + RATE"
        ),
        "import sqlite3\nsqlite3.register_adapter(complex, lambda x: str(x.real))",
        "import warnings\nwarnings.simplefilter('ignore')",
    ),
    "s_effect": (
        "import csv, io\nr_ef = 'reuse' in csv.list_dialects() and list(csv.reader(io.StringIO('a|b;c'), 'reuse'))",
        "import calendar\nr_ef = calendar.month(2024, 2)",
        "import logging\nr_ef = logging.getLogger('reuse').isEnabledFor(10)",
        "import socket\nr_ef = socket.getdefaulttimeout()",
        "import decimal\nr_ef = str(decimal.Decimal(1) / 3)",
        "r_ef = isinstance(obj, Shape)",
        "r_ef = [kind(x) for x in (1, [2], 'x')]",
        "import mimetypes\nr_ef = mimetypes.guess_type('a.reuse')[0]",
        "r_ef = np.geterr()['divide']",
        "import time\nr_ef = time.localtime(0).tm_hour",
        "import signal\nr_ef = signal.getsignal(signal.SIGUSR2) is signal.SIG_IGN",
        "r_ef = df['a'].reuse.size() if hasattr(pd.Series, 'reuse') else None",
        (
            "import sqlite3\nwith sqlite3.connect(':memory:') as _c:\n    try:\n"
            "        r_ef = _c.execute('select ?', (1 + 2j,)).fetchone()\n"
            "    except Exception as _e:\n        r_ef = type(_e).__name__"
        ),
    ),
}

ENVIRONMENT: Cells = {
    "folder": (
        "os.chdir(os.path.join(os.environ['TOP_FOLDER'], 'folder'))",
        "os.chdir(os.environ['TOP_FOLDER'])",
    ),
    "s_where": (
        "r_wh = os.path.basename(os.getcwd()) == 'folder'",
        "from pathlib import Path\nr_wh = Path.cwd().name == 'folder'",
        "r_wh = os.path.expandvars('$REUSE_LEVEL/x')",
        "from string import Template\nr_wh = Template('$REUSE_LEVEL').safe_substitute(os.environ)",
        "r_wh = os.environb.get(b'REUSE_LEVEL')",
        "r_wh = sorted(name for name in os.environ if name.startswith('REUSE'))",
        "r_wh = os.path.exists('one.txt')",
    ),
}

MODULES: Cells = {
    "use": (
        "import mod_d\nmod_d.use('de')",
        "import mod_d\nmod_d.use('fr')",
        "import mod_d\nmod_d.Base.numbers = mod_d.counted()",
    ),
    "sub": (
        "import mod_d\nclass Sub(mod_d.Base):\n    n = 1",
        "import mod_d\nclass Sub(mod_d.Base):\n    n = 2",
        "import mod_d\nclass Sub:\n    n = 3",
    ),
    "doc": (
        "def doc(x):\n    '''One.'''\n    return x",
        "def doc(x):\n    '''Two.'''\n    return x",
        "def doc(x):\n    # nothing\n    return x",
    ),
    "s_local": (
        "import mod_d\nr_lo = mod_d.located()",
        "import mod_d\nr_lo = mod_d.kinds()",
        "r_lo = doc.__doc__",
        "import inspect\nr_lo = inspect.getsource(doc)",
        "import mod_d\nr_lo = mod_d.told(doc)",
        DRAWS,
        "import mod_d\nmod_d.use('it')\nr_lo = mod_d.located()",
        "import mod_d\nr_lo = mod_d.told(mod_d.take)",
    ),
}

RESULTS: Cells = {
    "memory": (
        "block = np.arange(6.0).reshape(3, 2)\nshared = pd.DataFrame(block, copy=False)",
        "block = bytearray(b'abcdef')\nshared = np.frombuffer(block, dtype='u1')",
        "block = np.asfortranarray(np.arange(6).reshape(2, 3))\nshared = block.T",
        "block = np.arange(6).reshape(2, 3)\nshared = np.asfortranarray(block)",
        "np.save('block.npy', np.arange(RATE, 9))\nblock = np.load('block.npy', mmap_mode='r')\nshared = block[2:]",
        "block = np.arange(4.0)\nshared = np.broadcast_to(block, (2, 4))",
        "block = np.arange(9)\nshared = np.lib.stride_tricks.sliding_window_view(block, 3)",
    ),
    "s_memory": (
        "block[0] = 9\nr_me = repr(shared)",
        "r_me = np.asarray(shared).ravel('K').tolist()",
        "r_me = [block, shared]",
        "copied = block.copy()\nr_me = np.asarray(copied).flags['F_CONTIGUOUS']",
    ),
    "record": (
        "import dataclasses\nRecord = dataclasses.make_dataclass('Record', [('n', int)])\nrecord = Record(RATE)",
        "from collections import namedtuple\nRecord = namedtuple('Record', 'n')\nrecord = Record(RATE)",
        "Record = type('Record', (), {'n': RATE})\nrecord = Record()",
    ),
    "s_record": ("r_re = record.n + 1", "r_re = [record, Record]", "r_re = type(record) is Record"),
}

FIGURES: Cells = {
    "pyplot": ("import matplotlib.pyplot as plt",),
    "figure": ("plt.close('all')", "plt.figure(RATE)\nNone", "plt.close(3)"),
    "s_draw": (
        "_drawn = plt.plot([1, RATE])",
        "_drawn = plt.title(f'rate {RATE}')",
        "_drawn = plt.subplots(1, 2)\nr_dr = len(plt.gcf().axes)",
    ),
    "s_figure": (
        "r_fi = plt.get_fignums()",
        "r_fi = plt.gca().get_title()",
        "r_fi = [len(axes.lines) for axes in plt.gcf().axes]",
    ),
}

LOADED: Cells = {
    "s_load": (
        "import mod_e, mod_f\nloaded = mod_e.Thing()",
        "import mod_e\nloaded = mod_e.Thing()",
        "import mod_e\ndef made_later():\n    import mod_f\n    return mod_e.Thing()\nloaded = made_later()",
    ),
    "s_loaded": ("r_ld2 = loaded.get()", "r_ld2 = [loaded, loaded.get()]"),
}

TORCH: Cells = {
    "tensor": (
        "import torch\nt = torch.arange(4.0, requires_grad=True)",
        "import torch\nt = torch.arange(4.0)\nt_part = t[1:]",
        "import torch\nt = torch.full((4,), float(RATE), requires_grad=True)",
        "import torch\nt_numpy = np.zeros(4, dtype='f4')\nt = torch.from_numpy(t_numpy)",
    ),
    "s_backward": (
        "if t.requires_grad:\n    (t * RATE).sum().backward()",
        "if t.requires_grad:\n    t.grad = None",
        "t.data[0] = 7\nr_ba = float(t.sum())",
    ),
    "s_tensor": (
        "r_te = t.grad",
        "r_te = t.detach().sum().item()",
        "r_te = [t.detach()[:2], t.requires_grad]",
    ),
    "net": (
        "torch.manual_seed(0)\nnet = torch.nn.Linear(2, 1)\nopt = torch.optim.SGD(net.parameters(), lr=0.1)",
        (
            "torch.manual_seed(1)\nnet = torch.nn.Sequential(torch.nn.Linear(2, 1), torch.nn.Dropout(0.5))\n"
            "opt = torch.optim.Adam(net.parameters(), lr=0.1)"
        ),
    ),
    "s_train": (
        "net(torch.ones(1, 2)).sum().backward()",
        "opt.step()",
        "opt.zero_grad()",
        "net.eval()\nNone",
        "net.train()\nNone",
        "opt.param_groups[0]['lr'] = RATE / 100",
    ),
    "s_net": (
        "r_ne = [p.detach().clone() for p in net.parameters()]",
        "r_ne = [p.grad for p in net.parameters()]",
        "r_ne = net(torch.ones(1, 2)).item()",
        "r_ne = net.training",
        "torch.manual_seed(3)\nr_ne = torch.rand(2).tolist()",
    ),
}

SHOWN: Cells = {
    "value": ("RATE * 2", "xs", "print(RATE)", "None", "0"),
    "s_last": ("r_la = repr(_)", "print(bool(_), len(str(_)))", "[_, RATE]"),
    "loud": (
        "class Loud:\n    def __repr__(self):\n        print('aside')\n        return 'loud'\nloud = Loud()",
        "class Loud:\n    def __repr__(self):\n        return f'loud {RATE}'\nloud = Loud()",
    ),
    "s_loud": ("loud", "r_ld = [loud]\nr_ld"),
}

ODD: Cells = {
    "odd": (
        f"{CLASS}    def __eq__(self, other):\n        raise TypeError('no eq')\n    __hash__ = None\nodd = Odd(RATE)",
        f"{CLASS}    def __bool__(self):\n        raise ValueError('no bool')\nodd = Odd(RATE)",
        f"{CLASS}    def __getattr__(self, name):\n        raise ValueError(name)\nodd = Odd(2)",
        f"{CLASS}    __class__ = property(lambda self: int)\nodd = Odd(3)",
        f"{CLASS}    def __len__(self):\n        raise RuntimeError('no len')\nodd = Odd([xs])",
        f"{CLASS}    def __repr__(self):\n        raise KeyError('no repr')\nodd = Odd(4)",
        f"{CLASS}    def __hash__(self):\n        raise TypeError('no hash')\nodd = Odd(5)",
        f"{CLASS}    def __reduce_ex__(self, protocol):\n        raise TypeError('no pickle')\nodd = Odd(6)",
        "import weakref\nodd = weakref.proxy(K(1))",
        "import weakref\nodd = [weakref.proxy(obj)]",
    ),
    "s_odd": ("r_od = odd.n", "r_od = [type(odd).__name__]", "r_od = [odd]", "odd.n = 7\nr_od = len(xs)"),
}

COUNTERS: Cells = {
    "tick": (
        "def tick():\n    global _ticks\n    _ticks += 1\n    return _ticks",
        "def tick():\n    global _ticks\n    _ticks = _ticks + RATE\n    return [_ticks]",
    ),
    "s_tick": ("r_ti = tick()", "r_ti = [tick(), tick()]", "r_ti = 'tock'"),
}

CONNECTIONS: Cells = {
    "connection": (
        "import sqlite3\nsqlite3.connect('c.db').close()\nconnection = sqlite3.connect('c.db')",
        "import sqlite3\nconnection = sqlite3.connect('c.db', timeout=1)\nconnection.row_factory = sqlite3.Row",
        "import sqlite3\nconnection = sqlite3.connect('c.db')\nconnection.create_function('two', 0, lambda: 2)",
    ),
    "rows": (
        "connection.executescript(f'drop table if exists t; create table t as select {RATE} x').close()",
        "r_ro = [*connection.execute('create table if not exists t (x)'), connection.commit()]",
    ),
    "s_connected": (
        "r_cn = [tuple(row) for row in connection.execute('select * from t')]",
        "r_cn = connection.execute('select count(*) from sqlite_master').fetchone()[0]",
        "r_cn = connection.execute('insert into t values (7)').rowcount\nconnection.commit()",
        "connection = [connection][0]\nr_cn = len(xs)",
    ),
}

KINDS: dict[str, Cells] = {
    "definitions": DEFINITIONS,
    "text": TEXT,
    "files": FILES,
    "effects": EFFECTS,
    "environment": ENVIRONMENT,
    "modules": MODULES,
    "results": RESULTS,
    "shown": SHOWN,
    "odd": ODD,
    "figures": FIGURES,
    "loaded": LOADED,
    "counters": COUNTERS,
    "connections": CONNECTIONS,
} | ({"torch": TORCH} if find_spec("torch") else {})
"""Kinds of cells: definitions with effects, names inside text, files that Python does not open itself, effects on
libraries, the environment and working folder, local modules that carry state, what reuse gives back, what it shows and
what `_` is then, odd objects, figures of pyplot, modules that an object needs, counters under private names,
connections to databases; where it is installed, torch."""


def kinds_cells() -> Cells:
    """Return the cells of all kinds; of those that `ZENNB_REUSE_KINDS` names, if it is set."""
    chosen = os.environ.get("ZENNB_REUSE_KINDS", "").split() or KINDS.keys()
    return {slot: texts for kind, cells in KINDS.items() if kind in chosen for slot, texts in cells.items()}
