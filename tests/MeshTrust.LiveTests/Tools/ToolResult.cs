namespace MeshTrust.Tests.Tools;

/// <summary>What a tool said.</summary>
public sealed record ToolResult(int ExitCode, string Output, string Error)
{
    /// <summary>Everything that it said, for a failing test's message.</summary>
    public override string ToString() => $"exit code {ExitCode}\n{Output}\n{Error}";
}
