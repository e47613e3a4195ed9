namespace Meft.Core.Chat;

/// <summary>A message of a conversation.</summary>
/// <param name="Role">Who speaks: <c>system</c>, <c>user</c>, <c>assistant</c>, <c>tool</c>.</param>
/// <param name="Content">What is said.</param>
public sealed record ChatMessage(string Role, string Content);
