using Meft.Core.Comparisons;
using Meft.Core.Comparisons.Results;
using Meft.Core.Planning;
using Meft.Planning;

namespace Meft.Comparisons;

/// <summary>A method with its plan, and with what it has come to so far.</summary>
internal sealed class PlannedMethod
{
    private bool _isShort;

    /// <summary>The method.</summary>
    public required ComparedMethod Method { get; init; }

    /// <summary>What a run takes.</summary>
    public required RunPlan Plan { get; init; }

    /// <summary>Rows that a run trains on; null where they are not known.</summary>
    public required int? Rows { get; init; }

    /// <summary>Why it does not fit; null where it does.</summary>
    public required string? DoesNotFit { get; init; }

    /// <summary>The rates that were tried.</summary>
    public List<GridPoint> Grid { get; } = [];

    /// <summary>The rate it is trained with; null where that is not known yet.</summary>
    public double? Rate { get; set; }

    /// <summary>Whether a better rate may lie beyond those that were tried.</summary>
    public bool IsRateAtEdge { get; set; }

    /// <summary>What each seed came to, in order.</summary>
    public List<CellResult> Seeds { get; } = [];

    /// <summary>What went wrong.</summary>
    public string? Failure { get; set; }

    /// <summary>Whether it is left out: it does not fit, and no seed of it was done where it did.</summary>
    public bool IsLeftOut => _isShort && Seeds.Count == 0;

    /// <summary>Takes down that something is left to do that does not fit.</summary>
    /// <param name="reason">Why not.</param>
    public void LeaveOut(string reason) => (_isShort, Failure) = (true, reason);

    /// <summary>Plans a method.</summary>
    /// <param name="method">The method.</param>
    /// <param name="rows">The files that its runs train on; null for those that it names.</param>
    /// <exception cref="Core.Errors.InvalidInputException">The model, a row or the method is wrong.</exception>
    public static PlannedMethod Of(ComparedMethod method, IReadOnlyList<string>? rows)
    {
        var planned = PlannedRun.Of(method.RunOn(rows), calibrations: null);
        return new PlannedMethod
        {
            Method = method,
            Plan = planned.Plan,
            Rows = planned.Source.Rows?.Rows.Count,
            DoesNotFit = PlanFit.Problem(planned.Planner, planned.Plan)?.Problem,
        };
    }
}
