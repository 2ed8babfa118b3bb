namespace MeshTrust.Tests.Tools;

/// <summary>The output of a tool.</summary>
public sealed record ToolResult(int ExitCode, string Output, string Error)
{
    /// <summary>Its whole output, for the message of a failing test.</summary>
    public override string ToString() => $"exit code {ExitCode}\n{Output}\n{Error}";
}
