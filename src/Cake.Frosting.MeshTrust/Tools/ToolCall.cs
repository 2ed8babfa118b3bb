namespace Cake.Frosting.MeshTrust.Tools;

/// <summary>One call of a program.</summary>
internal sealed record ToolCall
{
    /// <summary>Its arguments, each as the program is to see it. None may be secret: everybody on the machine can read them.</summary>
    public required IReadOnlyList<string> Arguments { get; init; }

    /// <summary>When it is ended, whatever it does; <c>ToolTimeout</c> of the settings takes its place.</summary>
    public required TimeSpan Deadline { get; init; }

    /// <summary>What it reads from standard input; null for nothing at all. What is secret goes this way.</summary>
    public string? Input { get; init; }

    /// <summary>Variables on top of our own environment. <c>KUBECONFIG</c> leads to nowhere unless it is given here: no tool touches the user's.</summary>
    public IReadOnlyDictionary<string, string> Environment { get; init; } = new Dictionary<string, string>();

    /// <summary>Gets each line of standard error as it comes, from another thread.</summary>
    public Action<string>? OnErrorLine { get; init; }
}
