using Cake.Core;
using Cake.Frosting;
using MeshTrust;
using MeshTrust.Topology;

namespace Build;

/// <summary>Refuses an argument that no task knows, whatever the target: Cake accepts every one in silence.</summary>
public sealed class ArgumentCheck : FrostingSetup
{
    /// <inheritdoc/>
    public override void Setup(ICakeContext context, ISetupContext info)
    {
        var known = MeshTrustSettings.KnownArguments.Select(argument => argument.Name).Concat(BuildArguments.Names).ToList();
        var problems = context.Arguments.GetArguments().Keys
            .Where(name => !known.Contains(name, StringComparer.OrdinalIgnoreCase) && !MeshTrustSettings.IsCakes(name))
            .ToList();
    }
}
