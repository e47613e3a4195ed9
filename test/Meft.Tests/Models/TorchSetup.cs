using System.Runtime.CompilerServices;
using Meft.Native;

namespace Meft.Tests.Models;

internal static class TorchSetup
{
    /// <summary>Loads libtorch before the first test touches it.</summary>
    [ModuleInitializer]
    public static void Load() => NativeTorch.Load();
}
