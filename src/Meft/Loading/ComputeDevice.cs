using System.Globalization;
using Meft.Core.Errors;
using Meft.Native;
using static TorchSharp.torch;

namespace Meft.Loading;

/// <summary>Devices by the names that a config and the command line use.</summary>
public static class ComputeDevice
{
    /// <summary>What a device's name may be, for error texts.</summary>
    public const string Allowed = "auto | cpu | cuda | cuda:N";

    private const string Cuda = "cuda";

    /// <summary>The device of a name; <c>auto</c> is the first CUDA device where there is one, else the CPU.</summary>
    /// <exception cref="InvalidInputException">The name is not known, or this machine has no such device.</exception>
    public static Device Parse(string name)
    {
        NativeTorch.Load();
        if (name == "cpu") return CPU;
        if (name == "auto") return cuda.is_available() ? device("cuda:0") : CPU;
        var index = 0;
        var isCuda = name == Cuda || (name.StartsWith($"{Cuda}:", StringComparison.Ordinal)
            && int.TryParse(name.AsSpan(Cuda.Length + 1), NumberStyles.None, CultureInfo.InvariantCulture, out index));
        if (!isCuda) throw new InvalidInputException($"the device '{name}' is not known", null, Allowed);
        if (!cuda.is_available())
        {
            throw new InvalidInputException(
                $"the device is '{name}' and libtorch finds no CUDA device", null, "auto | cpu",
                "`meft doctor` shows the devices; MEFT_LIBTORCH may name a CUDA build of libtorch");
        }
        var count = cuda.device_count();
        return index < count
            ? device($"cuda:{index}")
            : throw new InvalidInputException($"the device is '{name}'", null, $"cuda:0 to cuda:{count - 1}, the devices of this machine");
    }
}
