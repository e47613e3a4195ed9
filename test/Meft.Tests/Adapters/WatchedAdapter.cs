using Meft.Adapters;
using Meft.Models;
using static TorchSharp.torch;

namespace Meft.Tests.Adapters;

/// <summary>A sparse adapter that also writes down when the feed-forward block beside it is computed: its first map in the forward and in the backward.</summary>
internal sealed class WatchedAdapter(SparseAdapter inner, List<string> events) : IOverlappingAdapter, ILinearAdapter
{
    public bool Overlaps => inner.Overlaps;

    public bool Adapts(int layer) => inner.Adapts(layer);

    public IAdapterCall Begin(int layer, Tensor x) => inner.Begin(layer, x);

    public Tensor Apply(int layer, Tensor x) => inner.Apply(layer, x);

    public Tensor Apply(int layer, LinearMap map, Tensor x, Tensor y)
    {
        if (map != LinearMap.Gate || !Adapts(layer)) return y;
        events.Add("block");
        return Marker.Apply(y, () => events.Add("block's backward"));
    }

    private sealed class Marker : autograd.SingleTensorFunction<Marker>
    {
        private const string Reached = "reached";

        public override string Name => nameof(Marker);

        public static Tensor Apply(Tensor x, Action reached) => apply(x, reached);

        public override Tensor forward(autograd.AutogradContext ctx, params object[] vars)
        {
            ctx.save_data(Reached, vars[1]);
            return ((Tensor)vars[0]).clone();
        }

        public override List<Tensor> backward(autograd.AutogradContext ctx, Tensor grad_output)
        {
            ((Action)ctx.get_data(Reached))();
            return [grad_output.clone(), null!];
        }
    }
}
