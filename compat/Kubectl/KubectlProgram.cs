using Cake.Core;
using Cake.Core.IO;
using Cake.Core.Tooling;

namespace Cake.Kubectl;

/// <summary>kubectl, found by Cake.</summary>
internal sealed class KubectlProgram(ICakeContext context) : Tool<AutoToolSettings>(context.FileSystem, context.Environment, context.ProcessRunner, context.Tools)
{
    internal new void Run(AutoToolSettings settings, ProcessArgumentBuilder arguments) => base.Run(settings, arguments);

    /// <inheritdoc/>
    protected override string GetToolName() => "Kubectl";

    /// <inheritdoc/>
    protected override IEnumerable<string> GetToolExecutableNames() => ["kubectl.exe", "kubectl"];
}
