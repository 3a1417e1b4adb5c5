// For the tests that start Dawn themselves, on machines whose only Vulkan loader is the one inside chromium.
import { loadVulkan } from '../../scripts/machine.mjs';

loadVulkan();
