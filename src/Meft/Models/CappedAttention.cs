using Meft.Native;
using static TorchSharp.torch;

namespace Meft.Models;

/// <summary>
/// Attention whose scores have a soft bound, which libtorch's own attention does not offer: by plain operations, one entry of the first dimension after
/// another, so that scores exist for no more than one. Keeps queries, keys and values for the backward and computes the scores again.
/// </summary>
internal sealed class CappedAttention : GuardedFunction<CappedAttention>
{
    public override string Name => nameof(CappedAttention);

    protected override int InputCount => 5;

    /// <summary>q [B, H, S, hd], k and v [B, H or 1, keys, hd] → [B, H, S, hd].</summary>
    /// <param name="q">Queries.</param>
    /// <param name="k">Keys.</param>
    /// <param name="v">Values.</param>
    /// <param name="mask">[B or 1, 1, S, keys], added to the bounded scores; null only where no gradient is recorded.</param>
    /// <param name="terms">Scale and bound.</param>
    public static Tensor Apply(Tensor q, Tensor k, Tensor v, Tensor? mask, AttentionTerms terms)
    {
        var recorded = is_grad_enabled() && (q.requires_grad || k.requires_grad || v.requires_grad);
        return recorded ? Record(q, k, v, mask!, terms) : Forward(q, k, v, mask, terms);
    }

    protected override Tensor Compute(autograd.AutogradContext ctx, object[] inputs)
    {
        Tensor q = (Tensor)inputs[0], k = (Tensor)inputs[1], v = (Tensor)inputs[2], mask = (Tensor)inputs[3];
        ctx.save_for_backward([q, k, v, mask]);
        ctx.save_data(nameof(AttentionTerms), inputs[4]);
        return Forward(q, k, v, mask, (AttentionTerms)inputs[4]);
    }

    protected override Tensor?[] Gradients(autograd.AutogradContext ctx, Tensor dy)
    {
        var saved = ctx.get_saved_variables();
        Tensor q = saved[0], k = saved[1], v = saved[2], mask = saved[3];
        var terms = (AttentionTerms)ctx.get_data(nameof(AttentionTerms));
        Tensor dq = empty_like(q), dk = empty_like(k), dv = empty_like(v);
        for (var b = 0; b < q.shape[0]; b++)
        {
            using var scope = NewDisposeScope();
            Tensor qb = q[b], kb = k[b], vb = v[b], dyb = dy[b];
            var (p, bound) = Weights(qb, kb, Of(mask, b), terms);
            var dp = dyb.matmul(vb.transpose(-2, -1));
            // The softmax, then the bound: the slope of c · tanh(s / c) is 1 − tanh².
            var ds = p * (dp - (dp * p).sum(-1, keepdim: true));
            ds = (ds - ds * bound * bound).Times(terms.Scale);
            dq[b].copy_(ds.matmul(kb));
            dk[b].copy_(ds.transpose(-2, -1).matmul(qb));
            dv[b].copy_(p.transpose(-2, -1).matmul(dyb));
        }
        return [dq, dk, dv, null, null];
    }

    private static Tensor Forward(Tensor q, Tensor k, Tensor v, Tensor? mask, AttentionTerms terms)
    {
        using var scope = NewDisposeScope();
        var results = new List<Tensor>();
        for (var b = 0; b < q.shape[0]; b++)
        {
            using var entry = NewDisposeScope();
            results.Add(Weights(q[b], k[b], mask is null ? null : Of(mask, b), terms).Weights.matmul(v[b]).MoveToOuterDisposeScope());
        }
        return stack(results).MoveToOuterDisposeScope();
    }

    /// <summary>q [H, S, hd], k [H, keys, hd] → the weights of the keys and tanh(score / c), each [H, S, keys].</summary>
    private static (Tensor Weights, Tensor Bound) Weights(Tensor q, Tensor k, Tensor? mask, AttentionTerms terms)
    {
        var cap = terms.SoftCap!.Value;
        var bound = q.matmul(k.transpose(-2, -1)).Times(terms.Scale).TimesInPlace(1 / cap).tanh_();
        var scores = bound.Times(cap);
        if (mask is not null) scores = scores.Plus(mask);
        // As in Hugging Face, in float32 at least.
        var wide = scores.dtype is ScalarType.Float16 or ScalarType.BFloat16 ? scores.to(float32) : scores;
        return (wide.softmax(-1).to(q.dtype), bound);
    }

    private static Tensor Of(Tensor mask, int b) => mask[mask.shape[0] == 1 ? 0 : b];
}
