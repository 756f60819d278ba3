"""The two forms of the GRU, and their gradients, spelled out for one melody: what the fast ones are compared with.

Vectors, one step after the other, in float64; the gradients are derived by hand (back-propagation through time).
"""

import numpy as np


def sigma(a):
    return 1 / (1 + np.exp(-a))


class OfTorch:
    """`torch.nn.GRU`: h~ = tanh(W x + b + r * (U h' + b')), h = (1 - z) * h~ + z * h'."""

    def __init__(self, w, u, b, b_h):
        """W (3H, I), U (3H, H), and both biases (3H,), in the order r, z, candidate."""
        self.w, self.u, self.b, self.b_h = w, u, b, b_h
        self.size = u.shape[1]

    def forward(self, xs):
        """(T, I) inputs to (T, H) states."""
        n, h = self.size, np.zeros(self.size)
        self.steps, states = [], []
        for x in xs:
            a, c = self.w @ x + self.b, self.u @ h + self.b_h
            r, z = sigma(a[:n] + c[:n]), sigma(a[n : 2 * n] + c[n : 2 * n])
            new = np.tanh(a[2 * n :] + r * c[2 * n :])
            self.steps.append((x, h, r, z, new, c[2 * n :]))
            h = (1 - z) * new + z * h
            states.append(h)
        return np.array(states)

    def backward(self, by_states):
        """The gradients of a loss by w, u, b, b_h and the inputs, from those by all states, (T, H)."""
        n = self.size
        dw, du, db, db_h = (np.zeros_like(a) for a in (self.w, self.u, self.b, self.b_h))
        dxs, dh = [], np.zeros(n)
        for (x, h, r, z, new, c), dy in zip(reversed(self.steps), by_states[::-1], strict=True):
            dh = dh + dy
            dnew = dh * (1 - z) * (1 - new**2)
            dz = dh * (h - new) * z * (1 - z)
            dr = dnew * c * r * (1 - r)
            da, dc = np.concatenate([dr, dz, dnew]), np.concatenate([dr, dz, dnew * r])
            dw, du, db, db_h = dw + np.outer(da, x), du + np.outer(dc, h), db + da, db_h + dc
            dxs.append(self.w.T @ da)
            dh = dh * z + self.u.T @ dc
        return dw, du, db, db_h, np.array(dxs[::-1])


class OfCho:
    """Cho et al. 2014: h~ = tanh(W x + U (r * h') + b), h = (1 - z) * h' + z * h~."""

    def __init__(self, w, u, b):
        """W (3H, I), U (3H, H) and biases (3H,), in the order r, z, candidate."""
        self.w, self.u, self.b = w, u, b
        self.size = u.shape[1]

    def forward(self, xs):
        """(T, I) inputs to (T, H) states."""
        n, h = self.size, np.zeros(self.size)
        self.steps, states = [], []
        for x in xs:
            a = self.w @ x + self.b
            r, z = sigma(a[:n] + self.u[:n] @ h), sigma(a[n : 2 * n] + self.u[n : 2 * n] @ h)
            new = np.tanh(a[2 * n :] + self.u[2 * n :] @ (r * h))
            self.steps.append((x, h, r, z, new))
            h = (1 - z) * h + z * new
            states.append(h)
        return np.array(states)

    def backward(self, by_states):
        """The gradients of a loss by w, u, b and the inputs, from those by all states, (T, H)."""
        n = self.size
        dw, du, db = (np.zeros_like(a) for a in (self.w, self.u, self.b))
        dxs, dh = [], np.zeros(n)
        for (x, h, r, z, new), dy in zip(reversed(self.steps), by_states[::-1], strict=True):
            dh = dh + dy
            dnew = dh * z * (1 - new**2)
            dz = dh * (new - h) * z * (1 - z)
            through = self.u[2 * n :].T @ dnew
            dr = through * h * r * (1 - r)
            da = np.concatenate([dr, dz, dnew])
            dw, db = dw + np.outer(da, x), db + da
            du += np.concatenate([np.outer(dr, h), np.outer(dz, h), np.outer(dnew, r * h)])
            dxs.append(self.w.T @ da)
            dh = dh * (1 - z) + through * r + self.u[:n].T @ dr + self.u[n : 2 * n].T @ dz
        return dw, du, db, np.array(dxs[::-1])
