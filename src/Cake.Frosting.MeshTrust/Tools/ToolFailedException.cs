namespace Cake.Frosting.MeshTrust.Tools;

/// <summary>A program ended with another exit code than 0: the inner exception of the fault, for those who know more about what it said.</summary>
internal sealed class ToolFailedException(ToolResult result) : Exception($"A program ended with {result}.")
{
    /// <summary>How it ended, and what it said.</summary>
    public ToolResult Result { get; } = result;
}
