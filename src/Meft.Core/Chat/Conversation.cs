namespace Meft.Core.Chat;

/// <summary>A conversation that grows turn by turn: a question, its answer, and before them what the system says.</summary>
public sealed class Conversation
{
    private readonly List<ChatMessage> _turns = [];

    /// <summary>What the system says before everything else; null for nothing.</summary>
    public string? System { get; set; }

    /// <summary>All messages, in order.</summary>
    public IReadOnlyList<ChatMessage> Messages => System is null ? [.. _turns] : [new ChatMessage("system", System), .. _turns];

    /// <summary>Adds what the user says.</summary>
    public void Ask(string text) => _turns.Add(new ChatMessage("user", text));

    /// <summary>Adds what the model says.</summary>
    public void Answer(string text) => _turns.Add(new ChatMessage("assistant", text));

    /// <summary>Takes back the last question and all that follows it.</summary>
    /// <returns>Whether there was one.</returns>
    public bool Undo()
    {
        var last = _turns.FindLastIndex(message => message.Role == "user");
        if (last < 0) return false;
        _turns.RemoveRange(last, _turns.Count - last);
        return true;
    }

    /// <summary>Forgets all turns; the system message stays.</summary>
    public void Reset() => _turns.Clear();
}
