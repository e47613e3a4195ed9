using Meft.Core.Configuration;
using Meft.Core.Planning;
using Meft.Inspection;
using Meft.Planning;
using Meft.TestSupport;
using Shouldly;

namespace Meft.Tests.Inspection;

/// <summary>What <c>inspect</c> says an adapter would add is what <c>plan</c> says of a run with it.</summary>
[Trait("Category", "Fixtures")]
public sealed class AdapterCostsTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public static TheoryData<string> Models => Assets.Enumerate("models", root => Directory.EnumerateFiles(root, "config.json", SearchOption.AllDirectories)
        .Select(file => Path.GetRelativePath(root, Path.GetDirectoryName(file)!)));

    [Theory]
    [MemberData(nameof(Models))]
    public void The_figures_are_the_plans(string name)
    {
        var folder = Assets.Require(["models", .. name.Split('/')]);
        var costs = PathInspector.Inspect(folder, rank: 300, loraRank: 4).AdapterCosts.ShouldNotBeNull();
        costs.Methods.Select(m => m.Method).ShouldBe([MethodKind.Meft, MethodKind.Lora]);
        foreach (var cost in costs.Methods)
        {
            var plan = Plan(folder, cost.Method == MethodKind.Meft ? "{rank: 300}" : $"{{kind: lora, rank: 4, targets: [{string.Join(", ", cost.Targets!)}]}}");
            plan.Accelerator.ShouldBeFalse();
            cost.Parameters.ShouldBe(plan.TrainedParameters);
            cost.ShareOfBase.ShouldBe((double)plan.TrainedParameters / plan.BaseParameters);
            cost.HostBytes.ShouldBe(plan.Memory.Of(MemoryTier.Host));
            cost.DeviceBytes.ShouldBe(plan.Memory.DeviceBytes);
            costs.BaseDeviceBytes.ShouldBe(plan.Memory.Items.Where(i => i is { Tier: MemoryTier.Device, Cause: "base weights" }).Sum(i => i.Bytes));
            cost.FileBytes.ShouldBe(plan.Memory.Items.Where(i => i is { Tier: MemoryTier.Disk, Cause: "result" }).Sum(i => i.Bytes));
            ((long)costs.Rows * costs.RowTokens).ShouldBe(plan.Workload.WorstTokens);
        }
        // 300 neurons are rounded up to whole experts, 4·ceil(sqrt(300)) of them.
        (costs.Methods[0].Rank, costs.Methods[0].Experts).ShouldBe((360, 72));
    }

    private RunPlan Plan(string model, string method)
    {
        var path = _folder.Write("config.yaml", $"model: {model}\noutput: run\ndevice: cpu\nmethod: {method}\ndata: {{train: absent.jsonl}}\ncheckpoint: {{every: 0}}\n");
        return PlannedRun.Of(RunConfig.Load(path, []), null).Plan;
    }

    public void Dispose() => _folder.Dispose();
}
