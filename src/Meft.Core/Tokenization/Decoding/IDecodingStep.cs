namespace Meft.Core.Tokenization.Decoding;

/// <summary>
/// One step of turning tokens into text. Text arrives and leaves in fragments; one token may arrive in several of them, so that nothing
/// has to wait longer than its meaning demands.
/// </summary>
internal interface IDecodingStep
{
    /// <summary>Takes a fragment.</summary>
    /// <param name="text">Its text.</param>
    /// <param name="continuesToken">Whether it belongs to the same token as the fragment before.</param>
    void Accept(string text, bool continuesToken);

    /// <summary>Ends the text: what was held back leaves.</summary>
    void Complete();
}
