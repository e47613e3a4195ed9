using Meft.Kernels.Attention;

namespace Meft.Kernels.Tests.Attention;

/// <summary>Attention by plain float64 loops over the definition, and its gradients by the chain rule.</summary>
internal sealed class NaiveAttention
{
    public NaiveAttention(AttentionShape shape, float[] q, float[] k, float[] v, float[]? outputGradient = null)
    {
        int heads = shape.Heads, group = heads / shape.KeyHeads, hd = shape.HeadSize;
        Output = new double[q.Length];
        (Dq, Dk, Dv) = (new double[q.Length], new double[k.Length], new double[v.Length]);
        for (var row = 0; row < shape.Lengths.Count; row++)
            for (var i = 0; i < shape.Lengths[row]; i++)
                for (var head = 0; head < heads; head++)
                {
                    var query = ((shape.Offsets[row] + i) * heads + head) * hd;
                    var first = shape.Window is { } window ? Math.Max(0, i - window + 1) : 0;
                    int Key(int j) => ((shape.Offsets[row] + j) * shape.KeyHeads + head / group) * hd;

                    var tanh = Enumerable.Range(first, i + 1 - first)
                        .Select(j => Math.Tanh(shape.Scale * Dot(q, query, k, Key(j), hd) / (shape.SoftCap ?? 1))).ToArray();
                    var p = Enumerable.Range(first, i + 1 - first)
                        .Select((j, n) => Math.Exp(shape.SoftCap is { } cap ? cap * tanh[n] : shape.Scale * Dot(q, query, k, Key(j), hd))).ToArray();
                    var sum = p.Sum();
                    for (var n = 0; n < p.Length; n++)
                    {
                        p[n] /= sum;
                        for (var d = 0; d < hd; d++) Output[query + d] += p[n] * v[Key(first + n) + d];
                    }
                    if (outputGradient is null) continue;
                    var dp = p.Select((_, n) => Dot(outputGradient, query, v, Key(first + n), hd)).ToArray();
                    var mean = p.Select((value, n) => value * dp[n]).Sum();
                    for (var n = 0; n < p.Length; n++)
                    {
                        var ds = p[n] * (dp[n] - mean) * shape.Scale * (shape.SoftCap is null ? 1 : 1 - tanh[n] * tanh[n]);
                        for (var d = 0; d < hd; d++)
                        {
                            Dq[query + d] += ds * k[Key(first + n) + d];
                            Dk[Key(first + n) + d] += ds * q[query + d];
                            Dv[Key(first + n) + d] += p[n] * outputGradient[query + d];
                        }
                    }
                }
    }

    public double[] Output { get; }

    public double[] Dq { get; }

    public double[] Dk { get; }

    public double[] Dv { get; }

    private static double Dot(float[] a, int atA, float[] b, int atB, int count)
    {
        double sum = 0;
        for (var i = 0; i < count; i++) sum += (double)a[atA + i] * b[atB + i];
        return sum;
    }
}
