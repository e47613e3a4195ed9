using Meft.Core.Adapters;
using Meft.Core.Configuration;
using Meft.Devices;
using Meft.Devices.Cuda;
using Meft.Memory;
using Meft.Tests.Adapters;
using Shouldly;
using static TorchSharp.torch;

namespace Meft.Tests.Devices.Cuda;

/// <summary>The sparse layer beside a real card, through real pinned copies on streams of their own.</summary>
[Trait("Category", "Card")]
public class CardLayerTests
{
    public static TheoryData<ExecutionKind> BothExecutions => [.. Executions.Both];

    [Theory]
    [MemberData(nameof(BothExecutions))]
    public void A_layer_gives_what_it_gives_on_the_host_and_moves_the_same_bytes(ExecutionKind execution)
    {
        var card = Card.Require();
        var random = new Random(3);
        for (var seed = 0; seed < 20; seed++)
        {
            using var scope = NewDisposeScope();
            using var generator = new Generator((ulong)seed);
            int experts = random.Next(2, 9), hidden = 4 * random.Next(4, 40), tokens = random.Next(1, 90);
            var rank = experts * random.Next(2, 20);
            var spec = new SparseAdapterSpec(rank, hidden, experts, random.Next(1, experts + 1), random.Next(1, 9), seed % 2 == 0 ? GateKind.Linear : GateKind.Softmax, [0]);
            Tensor Normal(int rows) => randn([rows, hidden], generator: generator);
            var (x, keys, values, gate, dy) = (Normal(tokens), Normal(rank), Normal(rank), Normal(experts), Normal(tokens));
            var (plain, counted) = (new MemoryLedger(), new MemoryLedger());
            using var host = new HostLink(CPU, plain);
            using var link = new CudaLink(card, CudaRuntime.Load(), counted);
            var expected = FastLayer.Run(spec, x, keys, values, gate, dy, execution, host);
            var actual = FastLayer.Run(spec, x.to(card), keys, values, gate, dy.to(card), execution, link);
            foreach (var (have, want) in new[]
            {
                (actual.Y, expected.Y), (actual.Dx, expected.Dx), (actual.DKeys, expected.DKeys), (actual.DValues, expected.DValues),
                (actual.DGate, expected.DGate),
            })
            {
                if (want.numel() > 0) TorchTest.RelativeError(have.cpu(), want).ShouldBeLessThan(1e-5, $"seed {seed}: {spec}");
            }
            actual.Touched.ShouldBe(expected.Touched);
            counted.ToHostByCause.ShouldBe(plain.ToHostByCause, ignoreOrder: true);
            counted.ToDeviceByCause.ShouldBe(plain.ToDeviceByCause, ignoreOrder: true);
        }
    }
}
