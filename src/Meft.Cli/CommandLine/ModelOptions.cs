using System.CommandLine;
using Meft.Cli.Views;
using Meft.Core.Configuration;
using Meft.Core.Errors;
using Meft.Loading;
using Meft.Native;
using Spectre.Console;
using TorchSharp;
using static TorchSharp.torch;

namespace Meft.Cli.CommandLine;

/// <summary>The options of every verb that computes with a model: which one, with what adapter, where, in what type.</summary>
internal sealed class ModelOptions
{
    private readonly Option<string> _model = new("--model")
    { HelpName = "M", Required = true, Description = "A Hugging Face folder, or a .gguf file." };
    private readonly Option<string?> _adapter = new("--adapter") { HelpName = "A", Description = "An adapter folder, such as runs/facts/adapter." };
    private readonly Option<string> _device = new("--device")
    { HelpName = "D", DefaultValueFactory = _ => "auto", Description = $"Where the model computes: {ComputeDevice.Allowed} [auto]." };
    private readonly Option<string> _type = new("--dtype")
    { HelpName = "TYPE", DefaultValueFactory = _ => "auto", Description = "The model's numbers: auto (the checkpoint's) | fp32 | bf16 | fp16 [auto]." };

    private readonly Option<string> _quantize = new("--quantize")
    {
        HelpName = "FORM",
        DefaultValueFactory = _ => ChoiceName.Of(Quantization.None),
        Description = $"How the layers' weights are held in memory: {QuantizeForms} [none]; gguf keeps a .gguf file's own blocks.",
    };
    private readonly bool _mayQuantize;

    /// <param name="adapterRequired">Whether the verb is nothing without an adapter.</param>
    /// <param name="mayQuantize">Whether the verb can do with quantised weights.</param>
    public ModelOptions(bool adapterRequired = false, bool mayQuantize = true)
    {
        _adapter.Required = adapterRequired;
        _mayQuantize = mayQuantize;
    }

    /// <summary>The values of <c>--quantize</c>.</summary>
    public static string QuantizeForms { get; } = string.Join(" | ", ChoiceName.All<Quantization>());

    /// <summary>The values of <c>--dtype</c>.</summary>
    public static string TypeForms { get; } = string.Join(" | ", ChoiceName.All<BaseDType>());

    /// <summary>The option that names the model.</summary>
    public Option<string> Model => _model;

    /// <summary>The option that names the type of its numbers.</summary>
    public Option<string> Type => _type;

    /// <summary>The adapter folder that the arguments name; null for none.</summary>
    public string? AdapterOf(ParseResult arguments) => arguments.GetValue(_adapter);

    /// <summary>How the arguments say that the layers' weights are held.</summary>
    /// <exception cref="InvalidInputException">The value is not known.</exception>
    public Quantization QuantizeOf(ParseResult arguments) => _mayQuantize ? ParseQuantize(arguments.GetRequiredValue(_quantize)) : Quantization.None;

    /// <summary>A value of <c>--quantize</c>.</summary>
    /// <exception cref="InvalidInputException">It is not known.</exception>
    public static Quantization ParseQuantize(string value) =>
        ChoiceName.Find<Quantization>(value) ?? throw new InvalidInputException($"--quantize is '{value}'", null, QuantizeForms);

    /// <summary>A value of <c>--dtype</c>.</summary>
    /// <param name="value">The value.</param>
    /// <param name="location">The verb, for the error; null where it needs no saying.</param>
    /// <exception cref="InvalidInputException">It is not known.</exception>
    public static BaseDType ParseType(string value, string? location = null) =>
        ChoiceName.Find<BaseDType>(value) ?? throw new InvalidInputException($"--dtype is '{value}'", location, TypeForms);

    /// <summary>Adds the options to a verb's command.</summary>
    public void AddTo(Command command)
    {
        command.Options.Add(_model);
        command.Options.Add(_adapter);
        command.Options.Add(_device);
        command.Options.Add(_type);
        if (_mayQuantize) command.Options.Add(_quantize);
    }

    /// <summary>Loads the model that the arguments name, showing how far it is.</summary>
    /// <exception cref="InvalidInputException">It cannot be loaded.</exception>
    public LoadedModel Load(ParseResult arguments, VerbContext context)
    {
        var type = ParseType(arguments.GetRequiredValue(_type));
        var quantize = QuantizeOf(arguments);
        ComputeThreads.Use();
        var model = LoadingView.Run(context.Status, progress => LoadedModel.Load(
            arguments.GetRequiredValue(_model),
            new ModelLoadOptions
            {
                Device = arguments.GetRequiredValue(_device),
                DType = type,
                Quantize = quantize,
                Adapter = arguments.GetValue(_adapter),
                Progress = progress,
            },
            context.Cancellation));
        if (model.Decoder.DataType == ScalarType.Float16 && model.Decoder.Device.type == DeviceType.CPU)
            context.Status.WriteLine("note: the model computes in float16, for which the CPU has no fast products; --dtype bf16 is many times as fast");
        return model;
    }
}
