import torch


class RmsNorm(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, weight):
        ctx.save_for_backward(x, weight)
        scale = torch.rsqrt((x * x).mean(-1, keepdim=True) + 1e-6)
        return x * scale * weight

    @staticmethod
    def backward(ctx, grad):
        x, weight = ctx.saved_tensors
        scale = torch.rsqrt((x * x).mean(-1, keepdim=True) + 1e-6)
        grad_x = grad * weight * scale
        return grad_x, (grad * x * scale).sum(0)
