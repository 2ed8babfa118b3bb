using Cake.Frosting.MeshTrust.Tools;
using global::Cake.Core.Tooling;

namespace MeshTrust.Tests.Cake.Tools;

/// <summary>The program <c>script</c>.</summary>
internal sealed class ScriptTool(ToolHost host, ScriptSettings? settings = null) : ToolRun<ScriptSettings>(host, settings ?? new ScriptSettings())
{
    public Task<ToolResult> RunAsync(string[] arguments, string? input = null, Action<string>? onLine = null, TimeSpan? deadline = null, CancellationToken token = default) =>
        RunAsync(Call(arguments, input, onLine, deadline), token);

    public Task<ToolResult> RequireAsync(params string[] arguments) => RequireAsync(Call(arguments, null, null, null), CancellationToken.None);

    public Task<ToolResult> RunWithAsync(IReadOnlyDictionary<string, string> environment) =>
        RunAsync(Call([], null, null, null) with { Environment = environment }, CancellationToken.None);

    protected override string GetToolName() => "script";

    protected override IEnumerable<string> GetToolExecutableNames() => ["script"];

    private static ToolCall Call(string[] arguments, string? input, Action<string>? onLine, TimeSpan? deadline) =>
        new() { Arguments = arguments, Input = input, OnErrorLine = onLine, Deadline = deadline ?? TimeSpan.FromMinutes(2) };
}

internal sealed class ScriptSettings : ToolSettings;
