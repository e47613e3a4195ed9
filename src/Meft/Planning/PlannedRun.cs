using Meft.Core.Configuration;
using Meft.Core.Errors;
using Meft.Core.Planning;
using Meft.Core.Schedules;
using Meft.Devices;
using Meft.Loading;
using Meft.Native;
using static TorchSharp.torch;

namespace Meft.Planning;

/// <summary>A config with the plan of its run on this machine.</summary>
/// <param name="Source">What the plan was made from.</param>
/// <param name="Planner">Who made it.</param>
/// <param name="Plan">The plan.</param>
/// <param name="Remarks">What the reader should know of it.</param>
public sealed record PlannedRun(PlanSource Source, RunPlanner Planner, RunPlan Plan, IReadOnlyList<string> Remarks)
{
    /// <summary>Plans a run: reads the model's config.json and the rows where they are there; loads no weights.</summary>
    /// <param name="config">The run.</param>
    /// <param name="calibrations">Where this machine's speeds are kept; null to plan without seconds.</param>
    /// <exception cref="Core.Errors.InvalidInputException">The model, a row or the method is wrong.</exception>
    public static PlannedRun Of(RunConfig config, CalibrationCache? calibrations)
    {
        var source = PlanSource.Read(config);
        ComputeThreads.Use();
        var remarks = new List<string>();
        if (source.Work.Assumption is { } assumption) remarks.Add(assumption);
        if (source.Rows?.Remark is { } remark) remarks.Add(remark);
        if (config.Data.MaxLength > source.Model.MaxPositions && source.Model.MaxPositions > 0)
            remarks.Add($"data.max_length is {config.Data.MaxLength:N0} and the model has {source.Model.MaxPositions:N0} positions: rows may have no more tokens than these");
        if (source.Work.Steps is { } steps && config.Schedule.Kind != ScheduleKind.Constant && LearningRateSchedule.WarmupStepsOf(config.Schedule.Warmup, steps) is var warmup && warmup >= steps)
            remarks.Add($"schedule.warmup takes {warmup:N0} steps and the run has {steps:N0}: the learning rate never reaches optimizer.learning_rate");
        var device = DeviceOf(config, remarks);
        var slow = device is { type: TorchSharp.DeviceType.CPU } && BaseWeights.TypeOf(config.DType, source.Model) == BaseDType.Fp16;
        if (slow) remarks.Add("the base computes in float16, for which the CPU has no fast products: bfloat16 is many times as fast (dtype: bf16); no seconds are planned");
        var machine = device is null || calibrations is null || slow
            ? null
            : calibrations.GetOrMeasure(MachineCalibration.KeyOf(device), () => MachineCalibration.Measure(device));
        var planner = new RunPlanner(
            config, source.Model, accelerator: device is not { type: TorchSharp.DeviceType.CPU }, MemoryBounds.Read(config, MemoryOf(device, remarks)), machine,
            source.Quantized);
        return new PlannedRun(source, planner, planner.Plan(source.Work), remarks);
    }

    /// <summary>All memory of a device of its own; null where it has none, or does not say.</summary>
    private static long? MemoryOf(Device? device, List<string> remarks)
    {
        if (device is null) return null;
        try
        {
            return DeviceMemory.Of(device)?.TotalBytes;
        }
        catch (RunFailedException e)
        {
            remarks.Add($"the memory of {device} is not known, so that only budget.device bounds it: {e.Problem}");
            return null;
        }
    }

    /// <summary>Refuses a plan that does not fit.</summary>
    /// <exception cref="Core.Errors.InvalidInputException">It does not; the text says what to change.</exception>
    public void Require() => PlanFit.Require(Planner, Plan);

    /// <summary>The config's device; null where it names a card that this machine does not have: a plan can be made for it all the same.</summary>
    private static Device? DeviceOf(RunConfig config, List<string> remarks)
    {
        NativeTorch.Load();
        if (!config.Device.StartsWith("cuda", StringComparison.Ordinal) || cuda.is_available()) return ComputeDevice.Parse(config.Device);
        remarks.Add($"this machine has no {config.Device}: its memory and speed are not known, so there are no seconds");
        return null;
    }
}
