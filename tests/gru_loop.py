"""The loop over time of `melodygru.training.gru`, in torch: any dtype, for checking gradients in float64."""

import torch
from torch import Tensor


class LoopInTorch:
    """See `melodygru.training.gru_kernel.Kernel`."""

    multiple = 1

    @staticmethod
    def forward(from_x: Tensor, w_h: Tensor, bias: Tensor, keep: bool) -> tuple[Tensor, Tensor, Tensor]:
        rows, n = len(from_x), w_h.shape[1]
        h = bias.new_zeros(rows, n)
        bias_x, bias = bias[: 3 * n], bias[3 * n :]
        states, before, kept = [], [], []
        for x in (from_x + bias_x).unbind(1):
            before.append(h.to(w_h.dtype))
            scores = (before[-1] @ w_h.T).to(h.dtype)
            r, z = torch.sigmoid(x[:, : 2 * n] + scores[:, : 2 * n]).chunk(2, dim=1)
            from_h = scores[:, 2 * n :] + bias
            new = torch.tanh(x[:, 2 * n :] + r * from_h)
            h = new + z * (h - new)
            states.append(h)
            if keep:
                kept.append(torch.cat([r, z, new, from_h], dim=1).to(w_h.dtype))
        return torch.stack(states, 1), torch.stack(before, 1), torch.stack(kept, 1) if keep else bias.new_empty(0)

    @staticmethod
    def backward(gradient: Tensor, w_h: Tensor, before: Tensor, kept: Tensor) -> tuple[Tensor, Tensor]:
        n = w_h.shape[1]
        dh, scores = torch.zeros_like(gradient[:, 0]), []
        for t in reversed(range(gradient.shape[1])):
            dh = dh + gradient[:, t]
            r, z, new, from_h = kept[:, t].to(dh.dtype).chunk(4, dim=1)
            dn = dh * (1 - z) * (1 - new * new)
            dz = dh * (before[:, t] - new) * z * (1 - z)
            dr = dn * from_h * r * (1 - r)
            step = torch.cat([dn * r, dr, dz, dn], dim=1)
            scores.append(step.to(w_h.dtype))
            dh = dh * z + (scores[-1] @ torch.cat([w_h[2 * n :], w_h[: 2 * n], torch.zeros_like(w_h[:n])])).to(dh.dtype)
        made = torch.stack(scores[::-1], 1)
        return made, made.sum((0, 1), dtype=gradient.dtype)
