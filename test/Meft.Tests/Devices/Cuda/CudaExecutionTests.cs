using Meft.Core.Adapters;
using Meft.Core.Configuration;
using Meft.Devices;
using Meft.Devices.Cuda;
using Meft.Memory;
using Meft.Tests.Adapters;
using Shouldly;
using static TorchSharp.torch;

namespace Meft.Tests.Devices.Cuda;

public class CudaExecutionTests
{
    public static TheoryData<ExecutionKind> BothExecutions => [.. Executions.Both];

    [Theory]
    [MemberData(nameof(BothExecutions))]
    public void A_layer_gives_the_same_bits_and_moves_the_same_bytes_through_copies_that_come_late(ExecutionKind execution)
    {
        var spec = new SparseAdapterSpec(48, 20, 6, 3, 5, GateKind.Softmax, [0]);
        for (var seed = 0; seed < 10; seed++)
        {
            using var scope = NewDisposeScope();
            using var generator = new Generator((ulong)seed);
            Tensor Normal(int rows) => randn([rows, 20], generator: generator);
            var (x, keys, values, gate, dy) = (Normal(17), Normal(48), Normal(48), Normal(6), Normal(17));
            var (plain, counted) = (new MemoryLedger(), new MemoryLedger());
            var runtime = new FakeCudaRuntime(seed == 0 ? null : new Random(seed));
            using var host = new HostLink(CPU, plain);
            using var card = new CudaLink(CPU, runtime, counted);
            var expected = FastLayer.Run(spec, x, keys, values, gate, dy, execution, host);
            var actual = FastLayer.Run(spec, x, keys, values, gate, dy, execution, card);
            foreach (var (have, want) in new[]
            {
                (actual.Y, expected.Y), (actual.Dx, expected.Dx), (actual.DKeys, expected.DKeys), (actual.DValues, expected.DValues),
                (actual.DGate, expected.DGate),
            })
            {
                have.equal(want).all().item<bool>().ShouldBeTrue();
            }
            counted.ToHostByCause.ShouldBe(plain.ToHostByCause, ignoreOrder: true);
            counted.ToDeviceByCause.ShouldBe(plain.ToDeviceByCause, ignoreOrder: true);
            runtime.Violations.ShouldBeEmpty();
        }
    }
}
