namespace Meft.Core.Chat.Jinja.Evaluation;

/// <summary>
/// What one rendering may take: work, counted in steps of which a text costs one for eight characters, and calls inside of calls. A
/// conversation of ten thousand turns takes less than two million steps; a template without end is stopped within seconds.
/// </summary>
internal sealed class Budget(long steps = Budget.DefaultSteps)
{
    public const long DefaultSteps = 10_000_000;
    private const int MaximumDepth = 100;

    private long _left = steps;
    private int _depth;

    public void Spend(long steps)
    {
        _left -= steps;
        if (_left < 0) throw new TemplateLimitException("the template takes too many steps");
    }

    public void EnterCall()
    {
        if (++_depth > MaximumDepth)
            throw new TemplateLimitException($"macros or loops call themselves more than {MaximumDepth} levels deep");
    }

    public void LeaveCall() => _depth--;
}
