namespace MeshTrust.ControlPlanes.Native.Processes;

/// <summary>One program to start for one control plane.</summary>
internal sealed record ProcessPlan
{
    /// <summary>For messages: <c>etcd</c> or <c>kube-apiserver</c>.</summary>
    public required string Name { get; init; }

    /// <summary>The control plane it is for.</summary>
    public required string Plane { get; init; }

    /// <summary>The full path of the program.</summary>
    public required string Program { get; init; }

    /// <summary>Its arguments; none is secret, keys are in files.</summary>
    public required IReadOnlyList<string> Arguments { get; init; }

    /// <summary>Where it runs: a directory of the run, by which a sweep knows it again.</summary>
    public required string Directory { get; init; }

    /// <summary>Where everything goes that it says (0600); replaced at start.</summary>
    public required string LogFile { get; init; }

    /// <summary>The command as a person would type it.</summary>
    public string Command => string.Join(' ', Arguments.Prepend(Program).Select(Quote));

    private static string Quote(string text) => text.Any(c => char.IsWhiteSpace(c) || c is '\'' or '"' or '$' or '*' or ';' or '&') ? $"'{text.Replace("'", "'\\''", StringComparison.Ordinal)}'" : text;
}
