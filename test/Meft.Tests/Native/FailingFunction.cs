using Meft.Native;
using static TorchSharp.torch;

namespace Meft.Tests.Native;

/// <summary>Twice its input; its backward fails.</summary>
internal sealed class FailingFunction : GuardedFunction<FailingFunction>
{
    public override string Name => nameof(FailingFunction);

    protected override int InputCount => 1;

    public static Tensor Apply(Tensor x) => Record(x);

    protected override Tensor Compute(autograd.AutogradContext ctx, object[] inputs) => ((Tensor)inputs[0]).Times(2.0);

    protected override Tensor?[] Gradients(autograd.AutogradContext ctx, Tensor dy) => throw new InvalidOperationException("the backward fails");
}
