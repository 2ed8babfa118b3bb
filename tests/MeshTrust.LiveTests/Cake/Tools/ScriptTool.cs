using Cake.Frosting.MeshTrust.Tools;
using MeshTrust.IO;

namespace MeshTrust.Tests.Cake.Tools;

/// <summary>The program <c>script</c>.</summary>
internal sealed class ScriptTool(ToolHost host, IReadOnlyDictionary<string, string>? variables = null) : Tool(host, "script")
{
    protected override IReadOnlyDictionary<string, string> Variables => variables ?? base.Variables;

    public Task<ProcessResult> RunAsync(string[] arguments, string? input = null, Action<string>? onLine = null, TimeSpan? deadline = null, CancellationToken token = default) =>
        RunAsync(arguments, deadline ?? TimeSpan.FromMinutes(2), token, input, onLine);

    public Task<string> RequireAsync(params string[] arguments) => AskAsync(arguments, TimeSpan.FromMinutes(2), CancellationToken.None);
}
