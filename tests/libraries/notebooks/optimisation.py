# %%
import cvxpy as cp
import numpy as np
import pulp
from ortools.sat.python import cp_model
from scipy import optimize

# %%
returns = np.array([0.08, 0.12, 0.10, 0.03])
covariance = np.array([[0.05, 0.01, 0.0, 0.0], [0.01, 0.09, 0.02, 0.0], [0.0, 0.02, 0.06, 0.0], [0.0, 0.0, 0.0, 0.01]])
risk_aversion = 2.0  # edit: risk_aversion = 3.0

# %%
weights = cp.Variable(4)
objective = cp.Maximize(returns @ weights - risk_aversion * cp.quad_form(weights, covariance))
problem = cp.Problem(objective, [cp.sum(weights) == 1, weights >= 0])

# %%
problem.solve()
print(problem.status, np.round(weights.value, 3))

# %%
round(float(returns @ weights.value), 4)

# %%
def objective_function(w):
    return -(returns @ w - risk_aversion * w @ covariance @ w)

found = optimize.minimize(objective_function, np.full(4, 0.25), bounds=[(0, 1)] * 4, constraints={"type": "eq", "fun": lambda w: w.sum() - 1})
found.success, found.x.round(2)

# %%
foods = {"bread": (2.0, 4), "milk": (3.5, 8), "beans": (5.0, 15)}
diet = pulp.LpProblem("diet", pulp.LpMinimize)
amount = {name: pulp.LpVariable(name, lowBound=0, upBound=10) for name in foods}
diet += pulp.lpSum(cost * amount[name] for name, (cost, _) in foods.items())
diet += pulp.lpSum(protein * amount[name] for name, (_, protein) in foods.items()) >= 50
print(diet)

# %%
model = cp_model.CpModel()
queens = [model.new_int_var(0, 5, f"q{row}") for row in range(6)]
model.add_all_different(queens)
model.add_all_different([queen + row for row, queen in enumerate(queens)])
model.add_all_different([queen - row for row, queen in enumerate(queens)])

# %%
solver = cp_model.CpSolver()
solver.parameters.random_seed = 1
solver.parameters.num_workers = 1
status = solver.solve(model)
solver.status_name(status), sorted(solver.value(queen) for queen in queens)

# %%
root = optimize.brentq(lambda t: np.cos(t) - t, 0, 1)
linear = optimize.linprog([-1, -2], A_ub=[[1, 1], [3, 1]], b_ub=[4, 6])
round(root, 8), linear.x.round(4), round(linear.fun, 4)

# %%
parameter = cp.Parameter(nonneg=True)
position = cp.Variable()
distance = cp.Problem(cp.Minimize(cp.square(position - 3) + parameter * cp.abs(position)))
path = []
for parameter.value in (0.0, 2.0, 8.0):
    distance.solve()
    path.append(round(abs(float(position.value)), 3))
path

# %%
cash = cp.Variable(name="cash")
bonds = cp.Variable(name="bonds")

# %%
stocks = cp.Variable(name="stocks")
split = cp.Problem(cp.Minimize((cash - 1) ** 2 + (bonds - 2) ** 2 + (stocks - 4) ** 2 + (position - 9) ** 2))
split.solve()
cash.value.round(3), bonds.value.round(3), stocks.value.round(3), position.value.round(3)
