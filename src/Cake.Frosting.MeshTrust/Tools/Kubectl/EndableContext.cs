using Cake.Core;
using Cake.Core.IO;

namespace Cake.Frosting.MeshTrust.Tools.Kubectl;

/// <summary>A context like another, but for the programs that an alias starts: a token ends them.</summary>
internal sealed class EndableContext(ICakeContext context, EndableProcesses processes) : CakeContextAdapter(context)
{
    /// <inheritdoc/>
    public override IProcessRunner ProcessRunner => processes;
}
