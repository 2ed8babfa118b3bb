using Cake.Core;
using Cake.Core.Annotations;
using Cake.Core.IO;
using Cake.Core.Tooling;

namespace Cake.Kubectl;

/// <summary>The alias of Cake.Kubectl that MeshTrust calls.</summary>
[CakeAliasCategory("Kubectl")]
public static class KubectlAliases
{
    /// <summary>Runs <c>kubectl apply</c>.</summary>
    /// <exception cref="CakeException">kubectl was not found, or its exit code is not 0 and the settings do not handle it.</exception>
    [CakeMethodAlias]
    public static void KubectlApply(this ICakeContext context, KubectlApplySettings settings)
    {
        ArgumentNullException.ThrowIfNull(context);
        settings ??= new KubectlApplySettings();
        var arguments = new ProcessArgumentBuilder().Append("apply");
        if (settings.FieldManager is { Length: > 0 } manager) arguments.Append($"--field-manager \"{manager}\"");
        if (settings.Filename is { Length: > 0 } file) arguments.Append($"--filename \"{file}\"");
        if (settings.ServerSide is not null) arguments.Append("--server-side");
        new KubectlProgram(context).Run(settings, arguments);
    }
}

/// <summary>Settings whose properties become options: <c>FieldManager = "x"</c> is <c>--field-manager "x"</c>.</summary>
public abstract class AutoToolSettings : ToolSettings
{
}

/// <summary>The options of <c>kubectl apply</c> that MeshTrust sets. As in the addin, a switch is given whenever it is not null.</summary>
public sealed class KubectlApplySettings : AutoToolSettings
{
    /// <summary><c>--field-manager</c>: the name under which the server records field ownership.</summary>
    public string? FieldManager { get; set; }

    /// <summary><c>--filename</c>: what to apply.</summary>
    public string? Filename { get; set; }

    /// <summary><c>--server-side</c>: let the server merge.</summary>
    public bool? ServerSide { get; set; }
}

/// <summary>kubectl, found by Cake.</summary>
internal sealed class KubectlProgram(ICakeContext context)
    : Tool<AutoToolSettings>(context.FileSystem, context.Environment, context.ProcessRunner, context.Tools)
{
    internal new void Run(AutoToolSettings settings, ProcessArgumentBuilder arguments) => base.Run(settings, arguments);

    /// <inheritdoc/>
    protected override string GetToolName() => "Kubectl";

    /// <inheritdoc/>
    protected override IEnumerable<string> GetToolExecutableNames() => ["kubectl.exe", "kubectl"];
}
