using System.Runtime.CompilerServices;
using Meft.Native;
using TorchSharp;

namespace Meft.Tests;

/// <summary>Loads the native libraries before any test touches a tensor.</summary>
internal static class TorchTest
{
    [ModuleInitializer]
    internal static void Load() => NativeTorch.Load();

    /// <summary>‖actual − expected‖ / ‖expected‖ in the Frobenius norm; 0 where both are zero.</summary>
    public static double RelativeError(torch.Tensor actual, torch.Tensor expected)
    {
        using var scope = torch.NewDisposeScope();
        var norm = expected.to(torch.ScalarType.Float64).norm().item<double>();
        var difference = (actual.to(torch.ScalarType.Float64) - expected.to(torch.ScalarType.Float64)).norm().item<double>();
        return norm == 0 ? difference : difference / norm;
    }
}
