# %%
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
torch.set_printoptions(precision=4)
device = "cuda" if torch.cuda.is_available() else "cpu"

# %%
points = torch.randn(256, 2)
labels = ((points**2).sum(dim=1) > 1.2).long()
points[:3], labels[:10], labels.float().mean()

# %%
train_set = TensorDataset(points[:192], labels[:192])
test_points, test_labels = points[192:], labels[192:]
loader = DataLoader(train_set, batch_size=32, shuffle=True)
print(len(train_set), "examples in", len(loader), "batches")

# %%
class Classifier(nn.Module):
    def __init__(self, hidden=16):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(2, hidden), nn.ReLU(), nn.Dropout(0.1), nn.Linear(hidden, 2))

    def forward(self, x):
        return self.layers(x)

# %%
model = Classifier().to(device)
optimizer = torch.optim.Adam(model.parameters(), lr=0.02)  # edit: optimizer = torch.optim.Adam(model.parameters(), lr=0.05)
loss_function = nn.CrossEntropyLoss()
sum(parameter.numel() for parameter in model.parameters())

# %%
def train_epoch(model, loader):
    model.train()
    total = 0.0
    for batch, target in loader:
        optimizer.zero_grad()
        loss = loss_function(model(batch), target)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(batch)
    return total / len(loader.dataset)

# %%
losses = [train_epoch(model, loader) for _ in range(8)]
print(" ".join(f"{loss:.4f}" for loss in losses))

# %%
model.eval()
with torch.no_grad():
    predicted = model(test_points).argmax(dim=1)
accuracy = (predicted == test_labels).float().mean().item()
accuracy

# %%
state = {name: tensor.clone() for name, tensor in model.state_dict().items()}
{name: tuple(tensor.shape) for name, tensor in state.items()}

# %%
again = Classifier()
again.load_state_dict(state)
again.eval()
with torch.no_grad():
    print(torch.equal(again(test_points), model(test_points)))

# %%
weight = torch.tensor([1.0, -2.0], requires_grad=True)
value = (weight**3).sum()
value.backward()
weight.grad

# %%
scheduler = torch.optim.lr_scheduler.StepLR(optimizer, step_size=1, gamma=0.5)
rates = []
for _ in range(3):
    rates.append(round(optimizer.param_groups[0]["lr"], 6))
    optimizer.step()
    scheduler.step()
rates
