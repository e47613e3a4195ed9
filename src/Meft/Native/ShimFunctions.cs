using System.Runtime.InteropServices;
using System.Text;
using Meft.Core.Errors;
using static TorchSharp.torch;

namespace Meft.Native;

/// <summary>
/// Functions of plain C that libtorch exports for ahead-of-time compiled models, for what TorchSharp does not bind: an operator by its name, a tensor seen as
/// another type. A tensor's handle is the same pointer in both. They fail with a status; what failed, libtorch writes to the error stream.
/// </summary>
internal static unsafe class ShimFunctions
{
    private static readonly Lazy<nint> Library = new(() =>
        NativeLibrary.TryLoad(Path.Combine(NativeTorch.Load().LibtorchFolder, "libtorch_cpu.so"), out var library) ? library : 0);

    private static readonly Lazy<nint> NewHandle = new(() => Required("aoti_torch_new_tensor_handle"));
    private static readonly Lazy<nint> Call = new(() => Required("aoti_torch_call_dispatcher"));
    private static readonly Lazy<nint> View = new(() => Required("aoti_torch_view_dtype"));

    /// <summary>A function's address; 0 where this libtorch does not export it.</summary>
    public static nint Find(string name) => Library.Value != 0 && NativeLibrary.TryGetExport(Library.Value, name, out var function) ? function : 0;

    /// <summary>
    /// The same bytes as numbers of another type: [.., n] → [.., n · its width / the new width]. The bytes of the last dimension lie side by side, and the place of
    /// each in its storage is a multiple of the new width.
    /// </summary>
    public static Tensor SeenAs(this Tensor tensor, ScalarType type)
    {
        nint result;
        var status = ((delegate* unmanaged<nint, int, nint*, int>)View.Value)(tensor.Handle, (int)type, &result);
        if (status != 0) throw Failed("aten::view.dtype", tensor);
        GC.KeepAlive(tensor);
        return Tensor.UnsafeCreateTensor(result);
    }

    /// <summary>
    /// result = a · b, computed in the type that a and b have in common and rounded to the result's as it is written: no copy in the common type is made.
    /// Shapes: a and b broadcast to the result's.
    /// </summary>
    public static void TakeProduct(this Tensor result, Tensor a, Tensor b) => Invoke("aten::mul\0"u8, "out\0"u8, a, b, result).Dispose();

    /// <summary>The single tensor that an operator of tensors alone gives, in the current scope; null where it fails. Names end with a zero.</summary>
    public static Tensor? TryInvoke(ReadOnlySpan<byte> name, ReadOnlySpan<byte> overload, params ReadOnlySpan<Tensor?> arguments)
    {
        // Each a handle of its own, which the call takes over; a missing argument is 0. The result comes where the first one was.
        var stack = stackalloc ulong[Math.Max(1, arguments.Length)];
        for (var i = 0; i < arguments.Length; i++) stack[i] = arguments[i] is { } argument ? (ulong)Another(argument) : 0; // fails for want of host memory alone
        fixed (byte* operation = name, which = overload)
        {
            if (((delegate* unmanaged<byte*, byte*, ulong*, int>)Call.Value)(operation, which, stack) != 0) return null;
        }
        return Tensor.UnsafeCreateTensor((nint)stack[0]);
    }

    private static Tensor Invoke(ReadOnlySpan<byte> name, ReadOnlySpan<byte> overload, params ReadOnlySpan<Tensor?> arguments) =>
        TryInvoke(name, overload, arguments) ?? throw Failed($"{Text(name)}.{Text(overload)}", arguments);

    private static nint Another(Tensor tensor)
    {
        nint handle;
        var status = ((delegate* unmanaged<nint, nint*, int>)NewHandle.Value)(tensor.Handle, &handle);
        GC.KeepAlive(tensor);
        return status == 0 ? handle : throw Failed("a second handle", tensor);
    }

    private static nint Required(string name) => Find(name) is var found and not 0
        ? found
        : throw new RunFailedException(
            $"this libtorch does not export {name}", NativeTorch.Load().LibtorchFolder, "libtorch 2.10 or 2.11", "name another one with MEFT_LIBTORCH, or unset it");

    private static InvalidOperationException Failed(string what, params ReadOnlySpan<Tensor?> arguments)
    {
        var shapes = new List<string>();
        foreach (var argument in arguments) shapes.Add(argument is null ? "none" : $"{argument.dtype} [{string.Join(", ", argument.shape)}]");
        return new InvalidOperationException($"libtorch failed in {what} of {string.Join(", ", shapes)}; the error stream says why");
    }

    private static string Text(ReadOnlySpan<byte> name) => Encoding.ASCII.GetString(name.TrimEnd((byte)0));
}
