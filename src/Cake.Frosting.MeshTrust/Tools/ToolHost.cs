using Cake.Core;
using Cake.Core.IO;
using Cake.Core.Tooling;

namespace Cake.Frosting.MeshTrust.Tools;

/// <summary>What Cake gives to tools: where programs are found, and with which variables they run.</summary>
/// <param name="FileSystem">Cake's file system.</param>
/// <param name="Environment">Cake's environment: its <c>PATH</c> finds programs and is theirs.</param>
/// <param name="Tools">Finds programs: those that a host registered, the <c>tools</c> folder, the <c>PATH</c>.</param>
/// <param name="Time">For deadlines.</param>
internal sealed record ToolHost(IFileSystem FileSystem, ICakeEnvironment Environment, IToolLocator Tools, TimeProvider Time)
{
    /// <summary>That of a context.</summary>
    public static ToolHost Of(ICakeContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        return new ToolHost(context.FileSystem, context.Environment, context.Tools, TimeProvider.System);
    }
}
