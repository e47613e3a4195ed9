namespace Meft.Core.Tokenization;

/// <summary>A token that was added beside the model's own, found in a text before anything else is done to it.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Content">The text it stands for.</param>
/// <param name="IsSpecial">Whether decoding may skip it.</param>
/// <param name="IsSingleWord">Whether it counts only where no letter or digit stands beside it.</param>
/// <param name="StripsLeft">Whether it swallows white space before it.</param>
/// <param name="StripsRight">Whether it swallows white space after it.</param>
/// <param name="IsNormalized">Whether it is looked for in the normalized text.</param>
internal sealed record AddedToken(
    int Id, string Content, bool IsSpecial, bool IsSingleWord, bool StripsLeft, bool StripsRight, bool IsNormalized);
