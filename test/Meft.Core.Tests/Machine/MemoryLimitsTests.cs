using Meft.Core.Machine;
using Meft.TestSupport;
using Shouldly;

namespace Meft.Core.Tests.Machine;

public sealed class MemoryLimitsTests : IDisposable
{
    private readonly TemporaryFolder _root = new();

    public MemoryLimitsTests() =>
        _root.Write("proc/meminfo", "MemTotal:       16000000 kB\nMemFree:          100 kB\nMemAvailable:    8000000 kB\n");

    [Fact]
    public void Without_control_groups_the_machine_is_the_limit()
    {
        var limits = MemoryLimits.Read(_root.Path);
        limits.ShouldBe(new MemoryLimits(16_000_000L << 10, 8_000_000L << 10, null, null));
        limits.UsableBytes.ShouldBe(16_000_000L << 10);
    }

    [Fact]
    public void The_least_limit_of_a_group_and_those_above_counts()
    {
        _root.Write("proc/self/cgroup", "0::/outer/inner\n");
        _root.Write("sys/fs/cgroup/outer/inner/memory.max", "max\n");
        _root.Write("sys/fs/cgroup/outer/memory.max", "1073741824\n");
        _root.Write("sys/fs/cgroup/memory.max", "2147483648\n");
        var limits = MemoryLimits.Read(_root.Path);
        (limits.ControlGroupBytes, limits.ControlGroupVersion, limits.UsableBytes).ShouldBe((1L << 30, 2, 1L << 30));
    }

    [Fact]
    public void Version_one_is_read_from_the_memory_controller()
    {
        _root.Write("proc/self/cgroup", "9:cpu,cpuacct:/x\n4:memory:/job/7\n0::/\n");
        _root.Write("sys/fs/cgroup/memory/job/7/memory.limit_in_bytes", "3221225472\n");
        _root.Write("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
        var limits = MemoryLimits.Read(_root.Path);
        (limits.ControlGroupBytes, limits.ControlGroupVersion).ShouldBe((3L << 30, 1));
    }

    [Fact]
    public void A_group_without_a_limit_has_none()
    {
        _root.Write("proc/self/cgroup", "4:memory:/\n");
        _root.Write("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
        MemoryLimits.Read(_root.Path).ControlGroupBytes.ShouldBeNull();
    }

    [Fact]
    public void A_group_that_a_container_does_not_show_falls_back_to_the_mount()
    {
        _root.Write("proc/self/cgroup", "0::/../elsewhere\n");
        _root.Write("sys/fs/cgroup/memory.max", "4096\n");
        MemoryLimits.Read(_root.Path).ControlGroupBytes.ShouldBe(4096);
    }

    [Fact]
    public void This_machine_has_memory_and_a_processor()
    {
        MemoryLimits.Read().UsableBytes.ShouldNotBeNull().ShouldBeGreaterThan(1 << 20);
        ProcessorInfo.Read().LogicalCores.ShouldBeGreaterThan(0);
    }

    [Fact]
    public void Hyper_threads_are_no_physical_cores() =>
        ProcessorInfo.Parse([
            "model name\t: Some CPU: fast", "physical id\t: 0", "core id\t\t: 0", "", "model name\t: Some CPU", "physical id\t: 0", "core id\t\t: 0", "",
            "physical id\t: 1", "core id\t\t: 0",
        ]).ShouldBe(("Some CPU: fast", 2));

    public void Dispose() => _root.Dispose();
}
