using Meft.Native;
using static TorchSharp.torch;

namespace Meft.Tests.Native;

/// <summary>Its input, and its gradient.</summary>
internal sealed class PassingFunction : GuardedFunction<PassingFunction>
{
    [ThreadStatic]
    private static int _abandoned;

    /// <summary>How often there was no gradient on this thread.</summary>
    public static int Abandoned => _abandoned;

    public override string Name => nameof(PassingFunction);

    protected override int InputCount => 1;

    public static Tensor Apply(Tensor x) => Record(x);

    protected override Tensor Compute(autograd.AutogradContext ctx, object[] inputs) => ((Tensor)inputs[0]).clone();

    protected override Tensor?[] Gradients(autograd.AutogradContext ctx, Tensor dy) => [dy.clone()];

    protected override void Abandon(autograd.AutogradContext ctx) => _abandoned++;
}
