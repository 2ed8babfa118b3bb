using Cake.Core;
using Cake.Core.IO;

namespace Cake.Frosting.MeshTrust.Tools;

/// <summary>A context like another, but for the program that an alias starts.</summary>
internal sealed class KubectlContext(ICakeContext context, KubectlProcesses processes) : CakeContextAdapter(context)
{
    /// <inheritdoc/>
    public override IProcessRunner ProcessRunner => processes;
}
