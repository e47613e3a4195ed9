using System.Runtime.InteropServices;
using Meft.Core.Errors;
using Meft.Devices;
using Meft.Devices.Cuda;
using Meft.Native;
using Meft.TestSupport;
using Shouldly;

namespace Meft.Tests.Devices.Cuda;

/// <summary>The calls of CUDA's runtime, bound to functions of this class that note what they are given.</summary>
public sealed unsafe class CudaRuntimeTests
{
    private const int OutOfMemory = 2, NotReady = 600;

    private static readonly List<string> Calls = [];
    private static readonly nint ErrorText = Marshal.StringToCoTaskMemUTF8("out of memory");
    private static int _result;

    private readonly CudaRuntime _runtime = new(Export);

    public CudaRuntimeTests()
    {
        Calls.Clear();
        _result = 0;
    }

    [Fact]
    public void Passes_its_arguments_on_in_the_order_of_the_c_functions()
    {
        _runtime.SetDevice(3);
        _runtime.CreateStream().ShouldBe(77);
        _runtime.CreateEvent().ShouldBe(78);
        _runtime.Record(78, 77);
        _runtime.Wait(77, 78);
        _runtime.Copy(1, 2, 1L << 33, CopyDirection.ToHost, 77);
        _runtime.AllocatePinned(1L << 33).ShouldBe(79);
        _runtime.DeviceBytes().ShouldBe((5L << 30, 6L << 30));
        _runtime.HasCome(78).ShouldBeTrue();
        _runtime.Synchronize(78);
        _runtime.DestroyEvent(78).ShouldBeTrue();
        _runtime.DestroyStream(77).ShouldBeTrue();
        _runtime.FreePinned(79).ShouldBeTrue();
        Calls.ShouldBe([
            "device 3", "stream, flags 1", "event, flags 2", "record 78 on 77", "wait 77 for 78, flags 0", "copy 1 from 2, 8589934592 bytes, kind 2, on 77",
            "pin 8589934592 bytes, flags 1", "memory", "query 78", "synchronize 78", "destroy event 78", "destroy stream 77", "free 79",
        ]);
    }

    [Fact]
    public void A_call_that_fails_says_which_and_gives_cudas_text()
    {
        _result = OutOfMemory;
        var error = Should.Throw<RunFailedException>(() => _runtime.AllocatePinned(1 << 20));
        error.Problem.ShouldBe("CUDA's cudaHostAlloc (1,048,576 bytes) failed: out of memory (error 2)");
        error.NextStep.ShouldNotBeNullOrEmpty();
        Calls[^1].ShouldBe("last error"); // taken, so that libtorch does not find it
        Should.Throw<RunFailedException>(() => _runtime.Synchronize(1)).Problem.ShouldBe("CUDA's cudaEventSynchronize failed: out of memory (error 2)");
        _runtime.FreePinned(1).ShouldBeFalse();
    }

    [Fact]
    public void An_event_that_has_not_come_is_no_error()
    {
        _result = NotReady;
        _runtime.HasCome(5).ShouldBeFalse();
        Calls.ShouldBe(["query 5", "last error"]);
    }

    [Fact]
    public void A_runtime_without_a_function_is_refused_by_name()
    {
        var error = Should.Throw<RunFailedException>(() => new CudaRuntime(name => name == "cudaStreamWaitEvent" ? 0 : Export(name)));
        error.Message.ShouldContain("cudaStreamWaitEvent");
        error.Message.ShouldContain(DeviceLinks.CopiesVariable);
    }

    [Fact]
    public void A_missing_library_is_an_error_that_says_where_it_was_looked_for()
    {
        using var folder = new TemporaryFolder();
        var error = Should.Throw<RunFailedException>(() => CudaLibrary.Load(folder.Path, CudaLibrary.FilesNear(folder.Path)));
        error.Message.ShouldContain(folder.Path);
        error.Message.ShouldContain("libcudart.so.12");
        error.Message.ShouldContain("MEFT_LIBTORCH");
        error.Message.ShouldContain($"{DeviceLinks.CopiesVariable}=plain");
    }

    [Fact]
    public void The_library_is_looked_for_beside_libtorch_and_where_wheels_put_it()
    {
        using var folder = new TemporaryFolder();
        string Touch(params string[] parts)
        {
            var path = Path.Combine([folder.Path, .. parts]);
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.WriteAllText(path, "");
            return path;
        }
        var beside = Touch("torch", "lib", "libcudart-d0da41ae.so.12");
        Touch("torch", "lib", "libtorch_cuda.so");
        var wheel = Touch("nvidia", "cuda_runtime", "lib", "libcudart.so.12");
        var ofVersion = Touch("nvidia", "cu13", "lib", "libcudart.so.13");
        CudaLibrary.FilesNear(Path.Combine(folder.Path, "torch", "lib")).ShouldBe([beside, wheel, ofVersion]);
    }

    [Fact]
    public void A_library_that_lies_beside_libtorch_is_loaded()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "the library that stands in is one of Linux");
        using var folder = new TemporaryFolder();
        var some = Directory.EnumerateFiles(NativeTorch.Load().LibtorchFolder, "libgomp*").First();
        File.Copy(some, Path.Combine(folder.Path, "libcudart-d0da41ae.so.12"));
        var library = CudaLibrary.Load(folder.Path, CudaLibrary.FilesNear(folder.Path));
        NativeLibrary.TryGetExport(library, "omp_get_num_threads", out _).ShouldBeTrue();
    }

    [Fact]
    public void A_device_says_its_memory()
    {
        DeviceMemory.Of(_runtime, 2).ShouldBe(new DeviceMemory(5L << 30, 6L << 30));
        Calls.ShouldBe(["device 2", "memory"]);
        DeviceMemory.Of(TorchSharp.torch.CPU).ShouldBeNull();
    }

    private static nint Export(string name) => name switch
    {
        "cudaSetDevice" => (nint)(delegate* unmanaged<int, int>)&SetDevice,
        "cudaStreamCreateWithFlags" => (nint)(delegate* unmanaged<nint*, uint, int>)&CreateStream,
        "cudaEventCreateWithFlags" => (nint)(delegate* unmanaged<nint*, uint, int>)&CreateEvent,
        "cudaStreamDestroy" => (nint)(delegate* unmanaged<nint, int>)&DestroyStream,
        "cudaEventDestroy" => (nint)(delegate* unmanaged<nint, int>)&DestroyEvent,
        "cudaEventSynchronize" => (nint)(delegate* unmanaged<nint, int>)&Synchronize,
        "cudaEventQuery" => (nint)(delegate* unmanaged<nint, int>)&Query,
        "cudaFreeHost" => (nint)(delegate* unmanaged<nint, int>)&Free,
        "cudaEventRecord" => (nint)(delegate* unmanaged<nint, nint, int>)&Record,
        "cudaStreamWaitEvent" => (nint)(delegate* unmanaged<nint, nint, uint, int>)&Wait,
        "cudaMemcpyAsync" => (nint)(delegate* unmanaged<nint, nint, nuint, int, nint, int>)&Copy,
        "cudaHostAlloc" => (nint)(delegate* unmanaged<nint*, nuint, uint, int>)&Pin,
        "cudaMemGetInfo" => (nint)(delegate* unmanaged<nuint*, nuint*, int>)&Memory,
        "cudaGetErrorString" => (nint)(delegate* unmanaged<int, nint>)&Text,
        "cudaGetLastError" => (nint)(delegate* unmanaged<int>)&LastError,
        _ => throw new ArgumentException(name),
    };

    private static int Note(string call)
    {
        Calls.Add(call);
        return _result;
    }

    [UnmanagedCallersOnly]
    private static int SetDevice(int index) => Note($"device {index}");

    [UnmanagedCallersOnly]
    private static int CreateStream(nint* made, uint flags)
    {
        *made = 77;
        return Note($"stream, flags {flags}");
    }

    [UnmanagedCallersOnly]
    private static int CreateEvent(nint* made, uint flags)
    {
        *made = 78;
        return Note($"event, flags {flags}");
    }

    [UnmanagedCallersOnly]
    private static int DestroyStream(nint stream) => Note($"destroy stream {stream}");

    [UnmanagedCallersOnly]
    private static int DestroyEvent(nint handle) => Note($"destroy event {handle}");

    [UnmanagedCallersOnly]
    private static int Synchronize(nint handle) => Note($"synchronize {handle}");

    [UnmanagedCallersOnly]
    private static int Query(nint handle) => Note($"query {handle}");

    [UnmanagedCallersOnly]
    private static int Free(nint memory) => Note($"free {memory}");

    [UnmanagedCallersOnly]
    private static int Record(nint handle, nint stream) => Note($"record {handle} on {stream}");

    [UnmanagedCallersOnly]
    private static int Wait(nint stream, nint handle, uint flags) => Note($"wait {stream} for {handle}, flags {flags}");

    [UnmanagedCallersOnly]
    private static int Copy(nint target, nint source, nuint bytes, int kind, nint stream) =>
        Note($"copy {target} from {source}, {bytes} bytes, kind {kind}, on {stream}");

    [UnmanagedCallersOnly]
    private static int Pin(nint* memory, nuint bytes, uint flags)
    {
        *memory = 79;
        return Note($"pin {bytes} bytes, flags {flags}");
    }

    [UnmanagedCallersOnly]
    private static int Memory(nuint* free, nuint* total)
    {
        (*free, *total) = ((nuint)5 << 30, (nuint)6 << 30);
        return Note("memory");
    }

    [UnmanagedCallersOnly]
    private static nint Text(int error) => ErrorText;

    [UnmanagedCallersOnly]
    private static int LastError() => Note("last error");
}
