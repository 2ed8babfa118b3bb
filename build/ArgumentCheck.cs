using Cake.Core;
using Cake.Frosting;
using Cake.Frosting.MeshTrust;
using MeshTrust.Settings;

namespace Build;

/// <summary>Refuses an argument that no task knows, whatever the target: Cake accepts every one in silence.</summary>
public sealed class ArgumentCheck(MeshTrustOptions options) : FrostingSetup
{
    /// <inheritdoc/>
    public override void Setup(ICakeContext context, ISetupContext info) =>
        MeshTrustSettings.CheckNames([.. context.Arguments.GetArguments().Select(argument => KeyValuePair.Create(argument.Key, (string?)argument.Value.LastOrDefault()))], [.. options.OtherArguments]);
}
