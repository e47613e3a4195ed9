using Meft.Adapters;
using Meft.Adapters.Execution;
using Meft.Core.Adapters;
using Meft.Core.Configuration;
using Meft.Devices;
using Meft.Host;
using Meft.Memory;
using Meft.Native;
using Shouldly;
using static TorchSharp.torch;

namespace Meft.Tests.Adapters;

/// <summary>Runs the shipped layer once, forward and backward, on given tensors.</summary>
internal static unsafe class FastLayer
{
    internal sealed record Result(
        Tensor Y, Tensor Dx, Tensor DKeys, Tensor DValues, Tensor DGate, Tensor Active, int[] Experts, int[] Touched);

    public static Result Run(
        SparseAdapterSpec spec, Tensor x, Tensor keys, Tensor values, Tensor gate, Tensor dy, ExecutionKind execution = ExecutionKind.Activations,
        IDeviceLink? through = null)
    {
        using var store = new HostParameterStore(spec);
        Fill(store.Keys.Weights, keys);
        Fill(store.Values.Weights, values);
        if (spec.Experts > 0) Fill(store.Gate.Weights, gate);

        var layer = new SparseLayer(spec, store);
        using var x32 = x.to(ScalarType.Float32).contiguous();
        using var dy32 = dy.to(ScalarType.Float32).contiguous();
        var link = through ?? new HostLink(CPU, null);
        IAdapterExecutor executor = execution == ExecutionKind.Rows ? new RowsTravel(link, null) : new ActivationsTravel(link, null);
        using var pass = new AdapterPass(layer, link.ToHost(x32, LinkUse.Activations));
        var y = executor.Forward(pass, x32);
        var dx = executor.Backward(pass, x32, dy32);
        var active = pass.Active;
        // Where no backward follows, another way is taken to the same bits.
        if (execution == ExecutionKind.Activations)
        {
            using Tensor given = x32.cpu(), got = y.cpu(), only = empty_like(given);
            layer.ForwardOnly(TensorMemory.Singles(given), active.TokenCount, TensorMemory.Singles(only));
            only.data<float>().ToArray().ShouldBe(got.data<float>().ToArray());
        }

        var mask = new bool[active.TokenCount, spec.Rank];
        for (var t = 0; t < active.TokenCount; t++)
        {
            for (var i = active.TokenStarts[t]; i < active.TokenStarts[t + 1]; i++) mask[t, active.Rows[i]] = true;
        }
        return new Result(
            y, dx, Dense(store.RowGradients.Keys, store.RowGradients.TouchedRows, spec), Dense(store.RowGradients.Values, store.RowGradients.TouchedRows, spec),
            Matrix(store.GateGradient), tensor(mask), active.Routing?.Experts ?? [], store.RowGradients.TouchedRows.ToArray());
    }

    public static void Fill(HostMatrix matrix, Tensor values)
    {
        var numbers = values.to(ScalarType.Float32).contiguous().data<float>().ToArray();
        for (var row = 0; row < matrix.Rows; row++) numbers.AsSpan(row * matrix.Dimension, matrix.Dimension).CopyTo(matrix.Row(row));
    }

    public static Tensor Matrix(HostMatrix matrix)
    {
        var numbers = new float[matrix.Rows, matrix.Dimension];
        for (var row = 0; row < matrix.Rows; row++)
        {
            for (var d = 0; d < matrix.Dimension; d++) numbers[row, d] = matrix.Row(row)[d];
        }
        return matrix.Rows == 0 ? zeros(0, matrix.Dimension) : tensor(numbers);
    }

    private static Tensor Dense(HostMatrix gradients, ReadOnlySpan<int> rows, SparseAdapterSpec spec)
    {
        var numbers = new float[spec.Rank, spec.HiddenSize];
        for (var slot = 0; slot < rows.Length; slot++)
        {
            for (var d = 0; d < spec.HiddenSize; d++) numbers[rows[slot], d] = gradients.Row(slot)[d];
        }
        return tensor(numbers);
    }
}
