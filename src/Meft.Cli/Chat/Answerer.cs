using Meft.Core.Chat;
using Meft.Core.Errors;
using Meft.Generation;
using Meft.Loading;

namespace Meft.Cli.Chat;

/// <summary>Lets a model go on with a conversation, through the model's own chat template.</summary>
internal sealed class Answerer
{
    private readonly LoadedModel _model;
    private readonly GenerationOptions _options;
    private readonly ChatTemplate _template;
    private readonly TextContinuation _continuation;

    /// <param name="model">The model.</param>
    /// <param name="options">How to decode.</param>
    /// <param name="stopStrings">What ends an answer beside the end tokens.</param>
    /// <exception cref="InvalidInputException">The model has no chat template or no tokenizer.</exception>
    public Answerer(LoadedModel model, GenerationOptions options, IReadOnlyList<string> stopStrings)
    {
        _model = model;
        _options = options;
        _template = model.ChatTemplate;
        _continuation = new TextContinuation(model.CreateGenerator(), model.Tokenizer) { StopStrings = stopStrings };
    }

    /// <summary>Gives the next answer.</summary>
    /// <param name="conversation">The conversation, which ends with a question.</param>
    /// <param name="onText">Told of text as it becomes certain.</param>
    /// <param name="cancellation">Ends the answer where it is.</param>
    /// <exception cref="InvalidInputException">The template refuses the conversation, or it is too long for the model.</exception>
    public GeneratedText Answer(Conversation conversation, Action<string> onText, CancellationToken cancellation)
    {
        var messages = conversation.Messages;
        var ids = _model.Tokenizer.Encode(_template.Render(messages, addGenerationPrompt: true), addSpecialTokens: false);
        if (ids.Length >= _model.Config.MaxPositions)
        {
            throw new InvalidInputException(
                $"the conversation has become {ids.Length} tokens long", null, $"fewer than the model's {_model.Config.MaxPositions} positions",
                "Say less, take turns back with /undo, or begin anew with /reset");
        }
        // Each turn draws its own random numbers.
        var options = _options with { Seed = _options.Seed + (ulong)messages.Count };
        return _continuation.Continue([ids], options, (_, text) => onText(text), cancellation).Single();
    }
}
