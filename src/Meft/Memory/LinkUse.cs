namespace Meft.Memory;

/// <summary>What crosses the link between host and device.</summary>
/// <param name="Name">The name in metrics and tables.</param>
public sealed record LinkUse(string Name)
{
    /// <summary>An adapter's inputs and outputs, and their gradients.</summary>
    public static readonly LinkUse Activations = new("activations");

    /// <summary>Active rows of K and V.</summary>
    public static readonly LinkUse Rows = new("rows");

    /// <summary>The gradients of active rows.</summary>
    public static readonly LinkUse RowGradients = new("row gradients");

    /// <summary>The selection: which token uses which row, with what score; and back the gradients of the experts' coefficients.</summary>
    public static readonly LinkUse Selection = new("selection");

    /// <summary>The layers of a streamed base.</summary>
    public static readonly LinkUse BaseLayers = new("base layers");

    /// <summary>Gradients to, and weights from, the host optimizer, of methods that train tensors on the device.</summary>
    public static readonly LinkUse TrainedTensors = new("trained tensors");
}
