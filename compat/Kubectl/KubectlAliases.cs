using Cake.Core;
using Cake.Core.Annotations;
using Cake.Core.IO;

namespace Cake.Kubectl;

/// <summary>The alias of Cake.Kubectl that MeshTrust calls.</summary>
[CakeAliasCategory("Kubectl")]
public static class KubectlAliases
{
    /// <summary>Runs <c>kubectl apply</c>.</summary>
    /// <exception cref="CakeException">kubectl is not there, or its exit code is not 0 and the settings do not handle it.</exception>
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
