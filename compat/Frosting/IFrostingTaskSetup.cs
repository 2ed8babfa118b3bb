using Cake.Core;

namespace Cake.Frosting;

/// <summary>Prepares each task.</summary>
public interface IFrostingTaskSetup
{
    /// <summary>Called before each task.</summary>
    /// <param name="context">The context.</param>
    /// <param name="info">The task.</param>
    void Setup(ICakeContext context, ITaskSetupContext info);
}
