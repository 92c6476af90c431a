"""Cells that use torch, and a last one that prints what came of them."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["CASES", "Case"]

MODEL = """
import torch
from torch import nn
torch.manual_seed(0)
model = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 1))
x, y = torch.randn(8, 3), torch.randn(8, 1)
"""
ADAM = "opt = torch.optim.Adam(model.parameters(), lr=0.1)"
TRAIN = """
for _ in range(3):
    opt.zero_grad()
    _loss = ((model(x) - y) ** 2).mean()
    _loss.backward()
    opt.step()
"""
SUM = "print(sum(p.double().sum().item() for p in model.parameters()))"


NET = """
import torch
from torch import nn
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(2, 2)
        self.calls = 0
    def forward(self, x):
        self.calls += 1
        return self.layer(x) + 1
"""


@dataclass(frozen=True, kw_only=True)
class Case:
    """Cells that run as steps, then one that runs plain and prints.

    Attributes:
        steps: the cells.
        shows: the last cell.
        runs: numbers of the steps that run every time, as they cannot be stored.
    """

    steps: tuple[str, ...]
    shows: str
    runs: tuple[int, ...] = ()


CASES = {
    "gradients made in one step and applied in the next": Case(
        steps=(
            MODEL,
            "opt = torch.optim.SGD(model.parameters(), lr=0.5)",
            "((model(x) - y) ** 2).mean().backward()",
        ),
        shows=f"opt.step(); {SUM}",
    ),
    "a gradient of a tensor": Case(
        steps=("import torch\nw = torch.ones(3, requires_grad=True)", "(w * w).sum().backward()"),
        shows="print(w.grad, w.requires_grad, w.is_leaf)",
    ),
    "a gradient that was set to none": Case(
        steps=(MODEL, ADAM, "((model(x) - y) ** 2).mean().backward()", "opt.zero_grad()"),
        shows="print([p.grad for p in model.parameters()])",
    ),
    "a tensor with a graph": Case(
        steps=(MODEL, "out = model(x)"),
        shows="out.sum().backward(); print([p.grad.sum().item() for p in model.parameters()])",
        runs=(1,),
    ),
    "an optimizer of a later step": Case(
        steps=(MODEL, ADAM, TRAIN),
        shows=f"{TRAIN}\n{SUM}\nprint(opt.param_groups[0]['params'][0] is model[0].weight)",
    ),
    "an optimizer without state of its own yet": Case(steps=(MODEL, ADAM), shows=f"{TRAIN}\n{SUM}"),
    "an array in the memory of a tensor": Case(
        steps=("import torch\nt = torch.zeros(4)\na = t.numpy()",),
        shows="a[0] = 5; print(t); t[1] = 7; print(a)",
    ),
    "an array in the memory of a tensor, made later": Case(
        steps=("import torch\nt = torch.zeros(4)", "a = t.numpy()[1:]"),
        shows="a[0] = 5; print(t); t[2] = 7; print(a)",
    ),
    "a tensor in the memory of an array": Case(
        steps=("import numpy as np, torch\na = np.zeros(4)", "t = torch.from_numpy(a)"),
        shows="a[0] = 5; print(t); t[1] = 7; print(a)",
    ),
    "a tensor in the memory of a part of an array": Case(
        steps=("import numpy as np, torch\na = np.zeros((4, 2))", "t = torch.from_numpy(a[1:, 1])"),
        shows="a[1] = 5; print(t); t[1] = 7; print(a)",
    ),
    "a dictionary of an array and its tensor": Case(
        steps=("import numpy as np, torch\na = np.zeros(4)\nd = {'a': a, 't': torch.from_numpy(a)}\ndel a",),
        shows="d['a'][0] = 5; print(d['t'])",
    ),
    "a view": Case(
        steps=("import torch\nt = torch.arange(12.).reshape(3, 4)", "v = t[1]\nc = t.T"),
        shows="v[0] = -1; c[3, 0] = 9; print(t, c.is_contiguous(), c.stride(), v.storage_offset())",
    ),
    "the data of a parameter": Case(
        steps=(MODEL, "w = model[0].weight.data[0]"), shows="w.fill_(2); print(model[0].weight)"
    ),
    "views in one object": Case(
        steps=("import torch\n_t = torch.zeros(4)\nd = {'whole': _t, 'part': _t[1:3]}",),
        shows="d['part'].fill_(3); print(d['whole'])",
    ),
    "a buffer that is part of a parameter": Case(
        steps=(
            (
                "import torch\nfrom torch import nn\nm = nn.Linear(2, 2)\nnn.init.ones_(m.weight)\n"
                "m.register_buffer('first', m.weight.data[0])"
            ),
        ),
        shows="m.first.fill_(4); print(m.weight, m.state_dict()['first'])",
    ),
    "tied weights": Case(
        steps=(
            (
                "import torch\nfrom torch import nn\na, b = nn.Linear(2, 2), nn.Linear(2, 2)\nb.weight = a.weight\n"
                "net = nn.Sequential(a, b)\nnn.init.ones_(a.weight)"
            ),
        ),
        shows="print(net[0].weight is net[1].weight, a.weight is net[0].weight, len(list(net.parameters())))",
    ),
    "a module that was set to evaluate": Case(
        steps=(MODEL, "model.eval()\nNone", "flag = model.training"),
        shows="print(flag, model.training, model[0].training); model.train(); print(model[0].training)",
    ),
    "frozen parameters": Case(
        steps=(MODEL, "model[0].requires_grad_(False)\nNone"),
        shows="print([p.requires_grad for p in model.parameters()])",
    ),
    "a scheduler": Case(
        steps=(MODEL, ADAM, "sch = torch.optim.lr_scheduler.StepLR(opt, 1, gamma=0.5)"),
        shows=f"{TRAIN}\nsch.step(); print(sch.get_last_lr(), opt.param_groups[0]['lr'], sch.optimizer is opt)\n{SUM}",
    ),
    "a scheduler in use": Case(
        steps=(
            MODEL,
            ADAM,
            "sch = torch.optim.lr_scheduler.LambdaLR(opt, lambda n: 0.9 ** n)",
            f"{TRAIN}\nsch.step()",
        ),
        shows=f"{TRAIN}\nsch.step(); print(sch.get_last_lr(), opt.param_groups[0]['lr'])\n{SUM}",
    ),
    "an optimizer that keeps lists of its own": Case(
        steps=(MODEL, "opt = torch.optim.LBFGS(model.parameters(), max_iter=2)"),
        shows=(
            "def closure():\n    opt.zero_grad()\n    loss = ((model(x) - y) ** 2).mean()\n    loss.backward()\n"
            f"    return loss\nopt.step(closure)\n{SUM}"
        ),
    ),
    "hooks of an optimizer": Case(
        steps=(
            MODEL,
            ADAM,
            "def said(opt, args, kwargs): print('stepped')\nopt.register_step_post_hook(said)\nNone",
        ),
        shows=TRAIN,
    ),
    "hooks of a module": Case(
        steps=(
            MODEL,
            "def seen(module, args, out): print('seen', tuple(out.shape))\nh = model.register_forward_hook(seen)",
        ),
        shows=(
            "model(x); k = model.register_forward_hook(lambda *_: print('second')); model(x)\n"
            "h.remove(); model(x); k.remove(); model(x)"
        ),
    ),
    "hooks of a module without their handle": Case(
        steps=(MODEL, "def seen(module, args, out): print('seen')\nmodel.register_forward_hook(seen)\nNone"),
        shows="k = model.register_forward_hook(lambda *_: print('second')); model(x); k.remove(); model(x)",
    ),
    "hooks of a tensor": Case(
        steps=(
            "import torch\nw = torch.ones(2, requires_grad=True)",
            "w.register_hook(lambda g: g * 2)\nNone",
        ),
        shows="(w * 3).sum().backward(); print(w.grad)",
    ),
    "hooks after accumulation": Case(
        steps=(
            "import torch\nw = torch.ones(2, requires_grad=True)",
            "def clear(t): t.grad = None\nw.register_post_accumulate_grad_hook(clear)\nNone",
        ),
        shows="(w * 3).sum().backward(); print(w.grad)",
    ),
    "a module of a class of the notebook": Case(
        steps=(
            (
                "import torch\nfrom torch import nn\nclass Net(nn.Module):\n    def __init__(self):\n"
                "        super().__init__()\n        self.layer = nn.Linear(2, 2)\n        self.calls = 0\n"
                "    def forward(self, x):\n        self.calls += 1\n        return self.layer(x) + 1"
            ),
            "torch.manual_seed(3)\nnet = Net()",
            "with torch.no_grad():\n    out = net(torch.ones(2))",
        ),
        shows="print(net.calls, out, net(torch.ones(2)))",
    ),
    "a recurrent network": Case(
        steps=("import torch\ntorch.manual_seed(1)\nrnn = torch.nn.LSTM(2, 3)",),
        shows="print(rnn(torch.ones(1, 1, 2))[0]); rnn.weight_ih_l0.data.zero_(); print(rnn(torch.ones(1, 1, 2))[0])",
    ),
    "state dictionaries": Case(
        steps=(MODEL, "import copy\nbest = copy.deepcopy(model.state_dict())\nlive = model.state_dict()"),
        shows="model[0].weight.data.zero_(); print(live['0.weight'].sum(), best['0.weight'].sum(), type(best))",
    ),
    "a loader": Case(
        steps=(
            MODEL,
            (
                "from torch.utils.data import DataLoader, TensorDataset\nds = TensorDataset(x, y)\n"
                "loader = DataLoader(ds, batch_size=3, shuffle=True)"
            ),
            "total = [round(b.sum().item(), 4) for b, _ in loader]",
        ),
        shows="print(total, [round(b.sum().item(), 4) for b, _ in loader], torch.rand(2))",
    ),
    "a loader with workers": Case(
        steps=(
            MODEL,
            (
                "from torch.utils.data import DataLoader, TensorDataset\n"
                "loader = DataLoader(TensorDataset(x, y), batch_size=4, num_workers=1)"
            ),
            "total = [b.sum().item() for b, _ in loader]",
        ),
        shows="print(total, [b.sum().item() for b, _ in loader], torch.rand(2))",
    ),
    "a loader with a generator of its own": Case(
        steps=(
            MODEL,
            (
                "from torch.utils.data import DataLoader\ng = torch.Generator().manual_seed(5)\n"
                "loader = DataLoader(x, shuffle=True, generator=g)"
            ),
            "first = next(iter(loader))",
        ),
        shows="print(first, next(iter(loader)), torch.rand(1, generator=g))",
    ),
    "a random split": Case(
        steps=(MODEL, "from torch.utils.data import random_split\na, b = random_split(x, [5, 3])"),
        shows="print(a.indices, b[0], a.dataset is b.dataset, a.dataset is x)",
    ),
    "kinds of tensors": Case(
        steps=(
            (
                "import torch\n"
                "half = torch.arange(4, dtype=torch.bfloat16)\nnothing = torch.empty(0, 3)\n"
                "scalar = torch.tensor(2.5)\n"
                "pair = torch.tensor([1 + 2j, 3j])\nmirrored = pair.conj()\nimaginary = mirrored.imag\n"
                "wide = torch.ones(3).expand(2, 3)\nback = torch.arange(6).reshape(2, 3).t()\n"
                "flags = torch.tensor([True, False])\n"
                "last = torch.ones(1, 2, 3, 3).to(memory_format=torch.channels_last)\n"
                "kinds = [torch.float16, torch.strided, torch.device('cpu'), torch.channels_last, torch.Size([1, 2])]\n"
                "small = torch.tensor([1, 2], dtype=torch.uint16)\nfloat8 = torch.ones(2).to(torch.float8_e4m3fn)"
            ),
        ),
        shows=(
            "print(half, nothing, scalar, pair, mirrored, imaginary, wide, wide.stride(), back, back.is_contiguous())\n"
            "print(flags, last.is_contiguous(memory_format=torch.channels_last), kinds, mirrored.is_conj())\n"
            "print(small, float8.float(), scalar.shape, kinds[0] is torch.float16)"
        ),
    ),
    "sparse tensors": Case(
        steps=("import torch\ns = torch.eye(3).to_sparse()\nc = torch.eye(3).to_sparse_csr()",),
        shows="print(s, c, s.is_coalesced(), c @ torch.ones(3))",
    ),
    "quantised tensors": Case(
        steps=("import torch\nq = torch.quantize_per_tensor(torch.tensor([1., 2.]), 0.1, 3, torch.quint8)",),
        shows="print(q, q.int_repr(), q.q_scale())",
    ),
    "tensors without memory": Case(
        steps=(
            "import torch\nm = torch.empty(2, 3, device='meta')\nlin = torch.nn.Linear(2, 2, device='meta')",
        ),
        shows="print(m.shape, m.device, lin.weight.is_meta)",
    ),
    "tensors for inference": Case(
        steps=("import torch\nwith torch.inference_mode():\n    i = torch.ones(2) * 3",),
        shows="print(i.is_inference(), i)",
    ),
    "tensors with attributes": Case(
        steps=(
            "import torch\nt = torch.ones(2)\nt.unit = 'm'\np = torch.nn.Parameter(torch.ones(2))\np.tag = [1]",
        ),
        shows="print(t.unit, p.tag, type(p).__name__)",
    ),
    "memory that grows": Case(
        steps=("import torch\nt = torch.ones(2)",),
        shows="print(t.resize_(3)[:2], t.untyped_storage().resizable())",
    ),
    "a change in place of a part": Case(
        steps=("import torch\nt = torch.zeros(4)", "t[1:3].add_(2)\nNone", "t.mul_(3)\nNone"),
        shows="print(t)",
    ),
    "arrays of objects and frames beside tensors": Case(
        steps=("import torch\nclass Box: pass\nbox = Box()\nbox.t = torch.ones(2)\nbox.same = box.t",),
        shows="box.t.zero_(); print(box.same, box.t is box.same)",
    ),
    "a type that was set for all new tensors": Case(
        steps=("import torch\ntorch.set_default_dtype(torch.float64)\nNone", "t = torch.ones(1)"),
        shows="print(t, torch.zeros(1))",
    ),
    "how tensors are printed": Case(
        steps=("import torch\ntorch.set_printoptions(precision=2)\nNone", "t = torch.ones(1) / 3\nprint(t)"),
        shows="print(t)",
    ),
    "gradients switched off": Case(
        steps=(
            "import torch\ntorch.set_grad_enabled(False)\nNone",
            "t = torch.ones(1, requires_grad=True) * 2",
        ),
        shows="print(t, torch.is_grad_enabled(), torch.inference_mode)",
    ),
    "threads": Case(
        steps=("import torch\ntorch.set_num_threads(1)\nNone",), shows="print(torch.get_num_threads())"
    ),
    "a default device": Case(
        steps=(
            "import torch\ntorch.set_default_device('meta')\nNone",
            "t = torch.ones(1)\nu = torch.ones(1, device='cpu')",
        ),
        shows="print(t, u, torch.get_default_device(), torch.empty(1)); torch.set_default_device(None)",
    ),
    "a compiled module": Case(
        steps=(MODEL, "fast = torch.compile(model)"), shows="print(type(fast).__name__)", runs=(1,)
    ),
    "a compiled function": Case(
        steps=("import torch\nfast = torch.compile(lambda x: x + 1)",),
        shows="print(callable(fast))",
        runs=(0,),
    ),
    "a module compiled in place": Case(
        steps=(MODEL, "model.compile()"), shows="print(model._compiled_call_impl is None)", runs=(1,)
    ),
    "a file of weights": Case(
        steps=(
            MODEL,
            "torch.save(model.state_dict(), 'w.pt')",
            "loaded = torch.load('w.pt')\nmodel.load_state_dict(loaded)",
        ),
        shows=f"import os; print(os.path.getsize('w.pt') > 0, loaded.keys()); {SUM}",
    ),
    "packed sequences": Case(
        steps=("import torch\np = torch.nn.utils.rnn.pack_sequence([torch.ones(2, 1), torch.zeros(1, 1)])",),
        shows="print(p, p.data.untyped_storage().nbytes())",
    ),
    "modules in a list beside one of them": Case(
        steps=(MODEL, "parts = [model[0], model]\nfirst = model[0]"),
        shows="first.weight.data.zero_(); print(parts[0].weight, parts[1][0] is first)",
    ),
    "a parameter that shares memory with a tensor": Case(
        steps=("import torch\nt = torch.zeros(2)\np = torch.nn.Parameter(t)",), shows="t.add_(1); print(p)"
    ),
    "an array of a frame": Case(
        steps=(
            "import torch\nimport pandas as pd\ndf = pd.DataFrame({'a': [1., 2.], 'b': [3., 4.]})",
            "t = torch.tensor(df.values)",
        ),
        shows="t[0, 0] = 9; print(df, t)",
    ),
    "memory that processes share": Case(
        steps=("import torch\nt = torch.ones(2).share_memory_()",), shows="print(t.is_shared(), t)"
    ),
    "a scaler": Case(
        steps=("import torch\nscaler = torch.amp.GradScaler('cpu', init_scale=8.)",),
        shows="print(scaler.get_scale())",
    ),
    "averaged weights": Case(
        steps=(
            MODEL,
            "avg = torch.optim.swa_utils.AveragedModel(model)",
            "avg.update_parameters(model)\nNone",
        ),
        shows="print(avg.n_averaged, avg.module[0].weight is model[0].weight, avg(x)[0])",
    ),
}
