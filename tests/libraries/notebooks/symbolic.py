# %%
import sympy as sp
from sympy import Eq, Function, Matrix, Rational, Symbol, dsolve, init_printing, integrate, latex, symbols

init_printing(use_unicode=True)

# %%
x, y, z = symbols("x y z")
n = Symbol("n", integer=True, positive=True)
expression = (x + y) ** 3 - x**3  # edit: expression = (x + y) ** 3 - y**3
expression

# %%
expanded = sp.expand(expression)
expanded

# %%
sp.factor(expanded), sp.collect(expanded, x)

# %%
sp.diff(sp.sin(x) * sp.exp(x), x)

# %%
integrate(x**2 * sp.exp(-x), (x, 0, sp.oo)), sp.limit(sp.sin(x) / x, x, 0)

# %%
solutions = sp.solve([Eq(x + 2 * y, 5), Eq(3 * x - y, 1)], [x, y])
print(solutions)

# %%
f = Function("f")
solution = dsolve(f(x).diff(x, 2) + 4 * f(x), f(x))
solution

# %%
matrix = Matrix([[2, 1], [1, 3]])
matrix.eigenvals(), matrix.inv()

# %%
print(latex(sp.series(sp.cos(x), x, 0, 6)))

# %%
numeric = sp.lambdify((x, y), expanded, "math")
numeric(1, 2), [numeric(value, 1) for value in range(3)]

# %%
sp.summation(1 / n**2, (n, 1, sp.oo)), Rational(1, 3) + Rational(1, 6)

# %%
sp.pprint(sp.Integral(sp.sqrt(1 / x), x))

# %%
w = symbols("w", positive=True)
sp.simplify(sp.sqrt(w**2)), sp.ask(sp.Q.positive(w))
