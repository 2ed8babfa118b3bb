namespace Cake.Frosting.MeshTrust.Tools;

/// <summary>What a program said until it ended.</summary>
/// <param name="ExitCode">Its exit code.</param>
/// <param name="Output">Its standard output, whole.</param>
/// <param name="Error">Its standard error; of a long one the end.</param>
/// <remarks>It may hold what nobody should read, a kubeconfig for instance: it is never logged as it is.</remarks>
internal sealed record ToolResult(int ExitCode, string Output, string Error)
{
    /// <summary>Says how it ended and nothing of what it said.</summary>
    public override string ToString() => $"exit code {ExitCode}";
}
